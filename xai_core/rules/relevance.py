"""Relevance instead of gradients: what flows back through a network is the explained number itself, shared out layer by layer.

Bach et al. 2015, doi:10.1371/journal.pone.0130140; composites of rules after Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10.

Inside the mode every step of the network gets a backward pass that hands relevance on and keeps its sum:
- views, selections and max-pooling do what they do in any gradient;
- an activation, a scaling, whatever works on each value alone, passes relevance on as it is;
- gates (sigmoid, softmax: squeeze-and-excitation, attention) count as constants, as in Ali et al. 2022, arXiv:2202.07304;
- linear layers, sums and means share by a rule of `shares`; a batch norm joins the convolution it reads;
- other norms are linear with their divisor held constant; what their shift adds goes to the values that are normalized together.
A step that is none of these is marked, and `obstacles` finds the marks that lie on the way back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from xai_core.rules._flow import Call, Share
from xai_core.rules._steps import HANDLERS, KEEP_RAW, unknown
from xai_core.rules.shares import Epsilon, Rule, Step


@dataclass(frozen=True)
class Composite:
    """Which rule shares where: convolutions, other linear layers, sums and means; the layer that reads the picture; the one that scores."""

    conv: Rule
    dense: Rule
    mix: Rule = Epsilon()  # noqa: RUF009  # frozen: all composites may share it
    first: Callable[[torch.Tensor, torch.Tensor], Rule] | None = None
    """Made from the lowest and the highest values the layer could read."""
    top: Rule | None = None
    norms_pass: bool = False
    """Whether a batch norm without a convolution passes relevance on as an activation does."""


@dataclass(frozen=True)
class _Latest:
    """The linear layer called last, for the batch norm that may follow."""

    out: torch.Tensor
    version: int
    x: torch.Tensor
    step: Step
    kind: str


class Relevance(TorchFunctionMode):
    """Inside, a network's outputs hand relevance back by the rules of `composite`; `torch.autograd.grad` outside then finds the input's.

    Give the network `x`, which may hold anything from `low` to `high`, and as the outputs' gradient the relevance to share.
    """

    def __init__(self, composite: Composite, x: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> None:
        super().__init__()
        self.composite, self._top = composite, composite.top
        self.lost: set[str] = set()
        """Writing steps that could not be followed."""
        self._raw = {id(x): (x, low.expand_as(x), high.expand_as(x))}
        self._latest: _Latest | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        call = Call(func, args, kwargs)
        if not call.live or not torch.is_grad_enabled():
            return func(*args, **(kwargs or {}))
        return self._written(call) if call.writes else self._taken(call)

    def _taken(self, call: Call) -> Any:
        out = HANDLERS.get(call.name, unknown)(self, call)
        raw = [self._raw.get(id(tensor)) for tensor in call.live]
        if isinstance(out, torch.Tensor) and all(raw) and call.name in KEEP_RAW:
            found = {key: entry for key, entry in zip(map(id, call.live), raw, strict=True) if entry}
            low, high = (  # type: ignore[misc]
                call(lambda tensor, end=end: found[id(tensor)][end] if id(tensor) in found else tensor)
                for end in (1, 2)
            )
            self._raw[id(out)] = (out, low, high)
        return out

    def _written(self, call: Call) -> Any:
        """An in-place call works on a copy, whose result is then written back: rules read the values of before."""
        target = call.args[0]
        if call.name not in HANDLERS or not isinstance(target, torch.Tensor):
            self.lost.add(call.name)
            return call()
        own = target.clone()
        if id(target) in self._raw:
            self._raw[id(own)] = (own, *self._raw.pop(id(target))[1:])
        out = self._taken(Call(call.func, (own, *call.args[1:]), call.kwargs))
        target.copy_(out)
        if id(out) in self._raw:
            self._raw[id(target)] = (target, *self._raw[id(out)][1:])
        return target

    def _rule(self, kind: str, bounds: tuple[torch.Tensor, torch.Tensor] | None) -> Rule:
        if kind in ("mix", "norm"):
            return self.composite.mix if kind == "mix" else Epsilon()
        if self._top is not None:
            top, self._top = self._top, None  # relevance reaches the layer that scores before all others
            return top
        if bounds is not None and self.composite.first is not None:
            return self.composite.first(*bounds)
        return self.composite.conv if kind == "conv" else self.composite.dense

    def share(self, x: torch.Tensor, step: Step, kind: str = "mix", name: str = "") -> torch.Tensor:
        """The step's output for x, which will share its relevance by the rule for this kind of step."""
        raw = self._raw.get(id(x))
        bounds = None if raw is None else (torch.minimum(*raw[1:]), torch.maximum(*raw[1:]))
        if bounds is not None:
            step = replace(step, field=(bounds[0] < bounds[1]).to(x.dtype))
        out: torch.Tensor = Share.apply(x, step, lambda: self._rule(kind, bounds), (kind, name))
        self._latest = _Latest(out, out._version, x, step, kind) if kind in ("conv", "dense") else None
        return out

    def joined(self, x: torch.Tensor) -> _Latest | None:
        """The linear layer that made x, if it was the last one and x is still what it was."""
        latest = self._latest
        return latest if latest is not None and latest.out is x and latest.version == x._version else None


def obstacles(outputs: torch.Tensor) -> set[tuple[str, str]]:
    """What lies on the way back from the outputs: (kind, name) of every step, kind "unknown" where no rule is known."""
    found, seen, open_ = set(), set(), [outputs.grad_fn]
    while open_:
        node = open_.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        open_ += [before for before, _ in node.next_functions]
        if hasattr(node, "met"):
            found.add(node.met)
    return found
