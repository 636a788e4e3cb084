"""The last linear layer of a network, found by one forward pass: logits = weight · features + bias, exactly.

Whether the features are averages of maps is read from the calls of the pass too, not from module names.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from xai_core.models.isolation import out_of_place

_MEANS = {"mean", "avg_pool2d", "adaptive_avg_pool2d"}
# Calls after which the averages, or the logits, are still the same numbers in the same order.
_IDENTITIES = {"flatten", "reshape", "view", "squeeze", "dropout", "contiguous", "clone"}


class LinearHead(NamedTuple):
    """One pass of N pictures: `features` (N, F), `weight` (classes, F), `bias` (classes,) and `logits` (N, classes)."""

    features: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor | None
    maps: torch.Tensor | None
    """Activations (N, F, rows, columns) whose means over all places are the features; None where they are not."""
    logits: torch.Tensor


def find_linear_head(module: nn.Module, x: torch.Tensor) -> LinearHead | None:
    """Return the last linear layer of a private copy at x (N, C, H, W), or None if the logits are no such sum."""
    with torch.no_grad(), out_of_place(), _HeadFinder():
        logits = module(x)
    head: LinearHead | None = getattr(logits, "_head", None)
    return None if head is None else head._replace(logits=logits)


def _trace_global_average(func: Any, args: Any, kwargs: Any, result: torch.Tensor) -> torch.Tensor | None:
    """Return the activations (N, C, rows, columns) that a call averages over all places; None for another call.

    Tested by repeating the call on values that differ at every place.
    """
    activations = args[0]
    if (
        getattr(func, "__name__", "") not in _MEANS
        or not isinstance(activations, torch.Tensor)
        or activations.ndim != 4
    ):
        return None
    count, device = activations.numel(), activations.device
    values = torch.arange(count, dtype=torch.float64, device=device).square().view(activations.shape)
    # Channels first, channels last.
    for dims in ((2, 3), (1, 2)):
        means = values.mean(dims).flatten()
        if result.numel() == means.numel() and torch.allclose(func(values, *args[1:], **kwargs).flatten(), means):
            return activations if dims == (2, 3) else activations.permute(0, 3, 1, 2)
    return None


class _HeadFinder(TorchFunctionMode):
    """Mark global averages with the activations before them, and linear layers' outputs with what they add up."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        result = func(*args, **kwargs)
        if not isinstance(result, torch.Tensor) or not args:
            return result
        if (averaged := _trace_global_average(func, args, kwargs, result)) is not None:
            self._mark(result, "_averaged", averaged)
        elif name in _IDENTITIES:
            for mark in ("_averaged", "_head"):
                self._mark(result, mark, getattr(args[0], mark, None))
        elif name == "linear" and args[0].ndim == 2 and len(args) > 1:
            bias = args[2] if len(args) > 2 else kwargs.get("bias")
            self._mark(result, "_head", LinearHead(args[0], args[1], bias, getattr(args[0], "_averaged", None), result))
        else:
            # In-place arithmetic returns a tensor that was marked before.
            for mark in ("_averaged", "_head"):
                result.__dict__.pop(mark, None)
        return result

    @staticmethod
    def _mark(tensor: torch.Tensor, mark: str, value: Any) -> None:
        if value is not None:
            setattr(tensor, mark, value)
