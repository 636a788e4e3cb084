"""What relevance flows through: a torch call of the network, and the backward passes that hand relevance on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from xai_core.rules._base import _Given
from xai_core.rules.shares import Rule, Step

_IN_PLACE = {"__iadd__": "add", "__isub__": "sub", "__imul__": "mul", "__itruediv__": "div", "__setitem__": "setitem"}


class Call:
    """One torch call of the network."""

    def __init__(self, func: Any, args: Any, kwargs: Any) -> None:
        self.func, self.args = func, tuple(args)
        self.kwargs = {name: value for name, value in (kwargs or {}).items() if name != "inplace"}
        self.given = _Given(self.args, self.kwargs)
        full = getattr(func, "__name__", "")
        self.name = _IN_PLACE.get(full, full.strip("_"))
        self.writes = full in _IN_PLACE or (full.endswith("_") and not full.endswith("__"))

    def __call__(self, swap: Callable[[torch.Tensor], torch.Tensor] = lambda tensor: tensor) -> Any:
        """The call's result, for other tensors if `swap` names them."""
        return self.func(
            *_swapped(self.args, swap), **{name: _swapped(value, swap) for name, value in self.kwargs.items()}
        )

    @property
    def live(self) -> list[torch.Tensor]:
        """The tensors that depend on the picture."""
        return [tensor for tensor in tensors((self.args, tuple(self.kwargs.values()))) if tensor.requires_grad]


def tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from tensors(inner)


def _swapped(value: Any, swap: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        return swap(value)
    return type(value)(_swapped(inner, swap) for inner in value) if type(value) in (tuple, list) else value


class Carry(torch.autograd.Function):
    """Any value; its relevance goes to the tensors it was made of, in equal parts, as it is."""

    @staticmethod
    def forward(ctx: Any, value: Callable[[], torch.Tensor], met: tuple[str, str], *live: torch.Tensor) -> torch.Tensor:
        ctx.met, ctx.shapes = met, [tensor.shape for tensor in live]
        return value().detach()

    @staticmethod
    def backward(ctx: Any, relevance: torch.Tensor) -> Any:
        part = relevance / len(ctx.shapes)
        return None, None, *(part.sum_to_size(shape) for shape in ctx.shapes)


class Share(torch.autograd.Function):
    """A linear step that shares its relevance by the rule it is given when relevance arrives."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, step: Step, rule: Callable[[], Rule], met: tuple[str, str]) -> torch.Tensor:
        ctx.step, ctx.rule, ctx.met = step, rule, met
        ctx.save_for_backward(x)
        return step(x)

    @staticmethod
    def backward(ctx: Any, relevance: torch.Tensor) -> Any:
        return ctx.rule().share(ctx.step, ctx.saved_tensors[0].detach(), relevance), None, None, None


class Settle(torch.autograd.Function):
    """The same values; what constants among them would keep goes to the others of that picture, by size."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, live: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x.abs() * live, live)
        return x.clone()

    @staticmethod
    def backward(ctx: Any, relevance: torch.Tensor) -> Any:
        size, live = ctx.saved_tensors
        kept = (relevance * (1 - live)).flatten(1).sum(1)
        total = size.flatten(1).sum(1).clamp(min=1e-30)
        return relevance * live + size * (kept / total).view(-1, *[1] * (size.ndim - 1)), None
