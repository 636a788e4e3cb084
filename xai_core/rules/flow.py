"""A torch call of the network, and the backward passes that hand relevance on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from xai_core.rules.base import Arguments
from xai_core.rules.lrp_rules import Composite, Rule, Step

_IN_PLACE_NAMES = {
    "__iadd__": "add",
    "__isub__": "sub",
    "__imul__": "mul",
    "__itruediv__": "div",
    "__setitem__": "setitem",
}


class Call:
    """One torch call of the network."""

    def __init__(self, func: Any, args: Any, kwargs: Any) -> None:
        self.func, self.args = func, tuple(args)
        self.kwargs = {name: value for name, value in (kwargs or {}).items() if name != "inplace"}
        self.arguments = Arguments(self.args, self.kwargs)
        full = getattr(func, "__name__", "")
        self.name = _IN_PLACE_NAMES.get(full, full.strip("_"))
        self.in_place = full in _IN_PLACE_NAMES or (full.endswith("_") and not full.endswith("__"))

    def __call__(self, swap: Callable[[torch.Tensor], torch.Tensor] = lambda tensor: tensor) -> Any:
        """Return the call's result, with each tensor replaced by `swap`."""
        return self.func(*_swap(self.args, swap), **{name: _swap(value, swap) for name, value in self.kwargs.items()})

    @property
    def live(self) -> list[torch.Tensor]:
        """The iter_tensors among the arguments that depend on the picture."""
        return [tensor for tensor in iter_tensors((self.args, tuple(self.kwargs.values()))) if tensor.requires_grad]


def iter_tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from iter_tensors(inner)


def _swap(value: Any, swap: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        return swap(value)
    return type(value)(_swap(inner, swap) for inner in value) if type(value) in (tuple, list) else value


@dataclass(frozen=True)
class LinearCall:
    """The linear layer called last, for the batch norm that may follow."""

    out: torch.Tensor
    version: int
    x: torch.Tensor
    step: Step
    kind: str


class RelevanceMode(Protocol):
    """The part of `Relevance` that the steps need."""

    composite: Composite

    def share(self, x: torch.Tensor, step: Step, kind: str = "mix", name: str = "") -> torch.Tensor: ...

    def linear_before(self, x: torch.Tensor) -> LinearCall | None: ...


class Carry(torch.autograd.Function):
    """Any value; its relevance goes unchanged to the iter_tensors it was made of, in equal parts."""

    @staticmethod
    def forward(
        ctx: Any, value: Callable[[], torch.Tensor], label: tuple[str, str], *live: torch.Tensor
    ) -> torch.Tensor:
        ctx.label, ctx.shapes = label, [tensor.shape for tensor in live]
        return value().detach()

    @staticmethod
    def backward(ctx: Any, relevance: torch.Tensor) -> Any:
        part = relevance / len(ctx.shapes)
        return None, None, *(part.sum_to_size(shape) for shape in ctx.shapes)


class Share(torch.autograd.Function):
    """A linear step that shares its relevance by a rule, which is chosen only when relevance arrives."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, step: Step, rule: Callable[[], Rule], label: tuple[str, str]
    ) -> torch.Tensor:
        ctx.step, ctx.rule, ctx.label = step, rule, label
        ctx.save_for_backward(x)
        return step(x)

    @staticmethod
    def backward(ctx: Any, relevance: torch.Tensor) -> Any:
        return ctx.rule().share(ctx.step, ctx.saved_tensors[0].detach(), relevance), None, None, None


class Redistribute(torch.autograd.Function):
    """The same values; relevance of constants among them goes to the other values of that picture, by size."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, live: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x.abs() * live, live)
        return x.clone()

    @staticmethod
    def backward(ctx: Any, relevance: torch.Tensor) -> Any:
        size, live = ctx.saved_tensors
        withheld = (relevance * (1 - live)).flatten(1).sum(1)
        total = size.flatten(1).sum(1).clamp(min=1e-30)
        return relevance * live + size * (withheld / total).view(-1, *[1] * (size.ndim - 1)), None
