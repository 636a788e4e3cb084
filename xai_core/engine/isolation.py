"""Private copies of a shared network, so that hooks, modes and gradients of one call never reach another.

Hooks on a shared module make the maps of other threads wrong. A structural copy costs a few milliseconds and no memory for weights.
"""

from __future__ import annotations

import copy
from typing import Any

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


class _OutOfPlace(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("inplace"):
            kwargs = kwargs | {"inplace": False}
        return func(*args, **kwargs)


def out_of_place() -> TorchFunctionMode:
    """A context in which functional activations such as `F.relu(x, inplace=True)` leave `x` as it was, in this thread only.

    `x += y` cannot be caught here: torch reports it as `x.add_(y)`, which a network may also write for its effect on `x`. Who hooks a
    layer hands a clone on to the rest of the network.
    """
    return _OutOfPlace()
