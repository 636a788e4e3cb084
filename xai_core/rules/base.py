"""Rules for rectifiers, as torch-function modes: `with Guided(): ...` changes the backward pass of every rectifier
called inside.

A mode belongs to its thread and sees every torch call, whether a module, a function or a method makes it, in place or
not, and however often the same module is used. No module is hooked or changed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class Arguments:
    """The arguments of one torch call, result by position or by name."""

    def __init__(self, args: Any, kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs

    def __call__(self, place: int, name: str, default: Any = None) -> Any:
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)


_Bounds = Callable[[Arguments], tuple[Any, Any]]
# Bounds of the functions that may be a rectifier, by name without underscores.
_BOUNDS: dict[str, _Bounds] = {
    "relu": lambda arguments: (0, inf),
    "relu6": lambda arguments: (0, 6),
    "hardtanh": lambda arguments: (arguments(1, "min_val", -1), arguments(2, "max_val", 1)),
    "clamp": lambda arguments: (arguments(1, "min"), arguments(2, "max")),
    "clip": lambda arguments: (arguments(1, "min"), arguments(2, "max")),
    "clamp_min": lambda arguments: (arguments(1, "min"), inf),
    "threshold": lambda arguments: (
        (arguments(1, "threshold"), inf) if arguments(1, "threshold") == arguments(2, "value") else (None, inf)
    ),
}


def rectifier_ceiling(name: str, arguments: Arguments) -> float | None:
    """Return the upper bound if the call is a rectifier, a clamp from exactly 0; None if it is anything else."""
    bounds = _BOUNDS.get(name.strip("_"))
    low, high = bounds(arguments) if bounds else (None, None)
    if isinstance(low, torch.Tensor) or isinstance(high, torch.Tensor) or low != 0:
        return None
    return inf if high is None else float(high)


class _Rectify(torch.autograd.Function):
    """max(x, 0), at most the ceiling, with the backward pass of a rule."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, ceiling: float, backward: Any) -> torch.Tensor:
        ctx.rule = backward
        # Not x itself, which an in-place call overwrites.
        ctx.save_for_backward((x >= ceiling).to(torch.int8) - (x <= 0).to(torch.int8))
        return x.clamp(0, ceiling)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (side,) = ctx.saved_tensors
        return ctx.rule(gradient, side), None, None


class RectifierRule(TorchFunctionMode):
    """Count the rectifiers on the path from the input (`rectifier_count`) and give each the backward pass of `rule`:
    here the derivative.

    Rectifiers are ReLU, ReLU6, hard-tanh and clamps that start at 0. In-place calls by keyword become out-of-place, as
    in `out_of_place()`; calls such as `x.relu_()` keep their effect on `x`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rectifier_count = 0

    @staticmethod
    def rule(gradient: torch.Tensor, side: torch.Tensor) -> torch.Tensor:
        """Return the gradient by the rectifier's input: `side` is -1 where that was too low, 0 where it passed, 1 where
        it was too high.
        """
        return gradient * (side == 0)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name, arguments = getattr(func, "__name__", ""), Arguments(args, kwargs)
        ceiling = rectifier_ceiling(name, arguments)
        x = arguments(0, "input")
        if ceiling is None or not isinstance(x, torch.Tensor) or not x.requires_grad or not torch.is_grad_enabled():
            return func(*args, **kwargs)
        self.rectifier_count += 1
        y = _Rectify.apply(x, ceiling, self.rule)
        return x.copy_(y) if name.endswith("_") else y
