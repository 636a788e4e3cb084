"""Rules for rectifiers, as torch-function modes: `with Guided(): …` changes the backward pass of every rectifier met inside.

A mode belongs to its thread and sees every torch call, whether a module, a function or a method makes it, in place or not, and however
often the same module is used. Nothing is hooked and nothing of the network is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class _Given:
    """The arguments of one torch call, by place or by name."""

    def __init__(self, args: Any, kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs

    def __call__(self, place: int, name: str, default: Any = None) -> Any:
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)


_Bounds = Callable[[_Given], tuple[Any, Any]]
_BOUNDS: dict[str, _Bounds] = {
    "relu": lambda given: (0, inf),
    "relu6": lambda given: (0, 6),
    "hardtanh": lambda given: (given(1, "min_val", -1), given(2, "max_val", 1)),
    "clamp": lambda given: (given(1, "min"), given(2, "max")),
    "clip": lambda given: (given(1, "min"), given(2, "max")),
    "clamp_min": lambda given: (given(1, "min"), inf),
    "threshold": lambda given: (
        (given(1, "threshold"), inf) if given(1, "threshold") == given(2, "value") else (None, inf)
    ),
}
"""Functions that may be a rectifier, by name without the underscores of private and in-place ones: between which bounds they hold it."""


def _ceiling(name: str, given: _Given) -> float | None:
    """The upper bound if the call is a rectifier, that is a clamp from exactly 0; None if it is anything else."""
    bounds = _BOUNDS.get(name.strip("_"))
    low, high = bounds(given) if bounds else (None, None)
    if isinstance(low, torch.Tensor) or isinstance(high, torch.Tensor) or low != 0:
        return None
    return inf if high is None else float(high)


class _Rectify(torch.autograd.Function):
    """max(x, 0), at most the ceiling, with the backward pass of a rule."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, ceiling: float, backward: Any) -> torch.Tensor:
        ctx.rule = backward
        ctx.save_for_backward((x > 0) & (x < ceiling))  # not x itself, which an in-place call overwrites
        return x.clamp(0, ceiling)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (passed,) = ctx.saved_tensors
        return ctx.rule(gradient, passed), None, None


class RectifierRule(TorchFunctionMode):
    """Counts the rectifiers on the way from the input (`met`) and gives each the backward pass of `rule`: here its plain derivative.

    Rectifiers are ReLU, ReLU6, hard-tanh and clamps that start at 0. In-place calls by keyword become out-of-place, as in
    `out_of_place()`; calls such as `x.relu_()` keep their effect on `x`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.met = 0

    @staticmethod
    def rule(gradient: torch.Tensor, passed: torch.Tensor) -> torch.Tensor:
        """What goes back through a rectifier, for the gradient that came in and where its input lay between the bounds."""
        return gradient * passed

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name, given = getattr(func, "__name__", ""), _Given(args, kwargs)
        ceiling = _ceiling(name, given)
        x = given(0, "input")
        if ceiling is None or not isinstance(x, torch.Tensor) or not x.requires_grad or not torch.is_grad_enabled():
            return func(*args, **kwargs)
        self.met += 1
        y = _Rectify.apply(x, ceiling, self.rule)
        return x.copy_(y) if name.endswith("_") else y
