"""Private copies of a shared network, so that hooks, modes and gradients of one call never reach another.

Hooks on a shared module make the maps of other threads wrong. A structural copy costs a few milliseconds and no memory for weights.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode


def isolate(module: nn.Module) -> nn.Module:
    """A private copy of `module` in eval mode over the same weights, with in-place activations switched to out-of-place.

    Parameters of the copy are gradient-free views of the originals, so a backward pass reaches inputs and activations only.
    Hooks that somebody left on the original are dropped: they would run in a thread they do not expect.
    """
    memo: dict[int, Any] = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in module.parameters()}
    memo |= {id(b): b for b in module.buffers()}
    private: nn.Module = copy.deepcopy(module, memo)
    for part in private.modules():
        part.training = False
        if getattr(part, "inplace", False):
            part.inplace = False  # type: ignore[assignment]  # nn.Module types every attribute as Tensor | Module
        for hooks in (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks):
            hooks.clear()
    return private


_OPERATORS: Mapping[Any, Callable[..., Any]] = {
    torch.Tensor.__iadd__: torch.add,
    torch.Tensor.__isub__: torch.sub,
    torch.Tensor.__imul__: torch.mul,
    torch.Tensor.__itruediv__: torch.true_divide,
}


class _OutOfPlace(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("inplace"):
            kwargs = kwargs | {"inplace": False}
        return _OPERATORS.get(func, func)(*args, **kwargs)


def out_of_place() -> TorchFunctionMode:
    """A context in which `F.relu(x, inplace=True)` and `x += y` leave `x` as it was, in this thread only.

    Without it a hooked activation (DenseNet's last norm, ResNet's last batch norm) is overwritten by the operation that follows,
    and a map of that layer is silently the map of the next one.
    """
    return _OutOfPlace()
