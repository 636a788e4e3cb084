"""Private copies of a shared network, so that hooks, modes and gradients of one call never reach another.

Hooks on a shared module make the maps of other threads wrong. A structural copy costs a few milliseconds and no memory
for weights.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

_SHARED = (type(None), bool, int, float, str, bytes, type, torch.dtype, torch.device)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def isolate(module: nn.Module) -> nn.Module:
    """Return a private copy in eval mode over the same weights, its in-place activations switched to out-of-place.

    Parameters of the copy are gradient-free views of the originals, so a backward pass reaches inputs and activations
    only. Hooks that somebody left on the original are dropped: they would run in a thread they do not expect.
    """
    memo: dict[int, Any] = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in module.parameters()}
    memo |= {id(b): b for b in module.buffers()}
    # Every module gets its copy before attributes are copied: they may point at any of them.
    for part in module.modules():
        memo[id(part)] = type(part).__new__(type(part))
    for part in module.modules():
        private = memo[id(part)]
        private.__dict__.update({name: _copy_value(value, memo) for name, value in part.__dict__.items()})
        private.__dict__["training"] = False
        for hooks in _HOOKS:
            private.__dict__[hooks] = OrderedDict()
        if getattr(private, "inplace", False):
            private.inplace = False
    copy_of_module: nn.Module = memo[id(module)]
    return copy_of_module


def _copy_value(value: Any, memo: dict[int, Any]) -> Any:
    """Return a copy that shares nothing mutable but the objects of the memo; plain values need no copy."""
    if isinstance(value, _SHARED):
        return value
    if type(value) is dict or type(value) is OrderedDict:
        return type(value)((key, _copy_value(inner, memo)) for key, inner in value.items())
    return copy.deepcopy(value, memo)


class _Affine(nn.Module):
    """Batch normalization in eval mode: one scale and one shift per channel."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
        scale = (variance + norm.eps).rsqrt()
        scale = scale * norm.weight if norm.affine else scale
        shift = -mean * scale
        self.scale, self.shift = scale.view(-1, 1, 1), (shift + norm.bias if norm.affine else shift).view(-1, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.addcmul(self.shift, x, self.scale)


def fold_norms(private: nn.Module) -> nn.Module:
    """Replace the batch norms of a private copy by their scale and shift: a backward pass then keeps less and runs
    faster.
    """
    for part in private.modules():
        for name, child in part.named_children():
            if type(child) is nn.BatchNorm2d and child.running_mean is not None:
                setattr(part, name, _Affine(child))
    return private


class _OutOfPlace(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("inplace"):
            kwargs = kwargs | {"inplace": False}
        return func(*args, **kwargs)


def out_of_place() -> TorchFunctionMode:
    """Return a context in which functional activations such as `F.relu(x, inplace=True)` leave `x` unchanged.


    `x += y` cannot be caught here: torch reports it as `x.add_(y)`, which a network may also write for its effect on
    `x`. A hook on a layer has to hand a clone on to the rest of the network. The context holds for this thread only.
    """
    return _OutOfPlace()
