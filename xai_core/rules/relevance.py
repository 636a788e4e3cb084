"""Layer-wise relevance propagation: the explained number itself flows back through the network, shared out layer by
layer.

Bach et al. 2015, doi:10.1371/journal.pone.0130140; composites of rules after Montavon et al. 2019,
doi:10.1007/978-3-030-28954-6_10.

Inside the mode every step of the network gets a backward pass that hands relevance on and keeps its sum:
- views, selections and max-pooling do what they do in any gradient;
- activations, scalings and other elementwise steps pass relevance on as it is;
- gates (sigmoid, softmax: squeeze-and-excitation, attention) count as constants, as in Ali et al. 2022,
  arXiv:2202.07304;
- linear layers, sums and means share by a rule of `lrp_rules`; a batch norm joins the convolution it reads;
- other norms are linear with their divisor held constant; what their shift adds goes to the values that are normalized
  together. Any other step is marked as mark_unknown, and `find_steps` finds the marks on the path back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from xai_core.rules.flow import Call, LinearCall, Share
from xai_core.rules.lrp_rules import Composite, Epsilon, Rule, Step
from xai_core.rules.steps import HANDLERS, KEEPS_RANGES, mark_unknown


class Relevance(TorchFunctionMode):
    """Inside, a network's outputs hand relevance back by the rules of `composite`; `torch.autograd.grad` outside
    returns the input's.

    Give the network `x`, which may hold anything from `low` to `high`, and as the outputs' gradient the relevance to
    share.
    """

    def __init__(self, composite: Composite, x: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> None:
        super().__init__()
        self.composite, self._top = composite, composite.top
        self.untraceable: set[str] = set()
        """In-place steps without a handler."""
        self._ranges = {id(x): (x, low.expand_as(x), high.expand_as(x))}
        self._latest: LinearCall | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        call = Call(func, args, kwargs)
        if not call.live or not torch.is_grad_enabled():
            return func(*args, **(kwargs or {}))
        return self._handle_in_place(call) if call.in_place else self._handle(call)

    def _handle(self, call: Call) -> Any:
        out = HANDLERS.get(call.name, mark_unknown)(self, call)
        inputs = [self._ranges.get(id(tensor)) for tensor in call.live]
        # A step that reads only the picture, and each value alone, has a range too: the one of its input, sent through
        # it.
        if isinstance(out, torch.Tensor) and all(inputs) and call.name in KEEPS_RANGES:
            ranges = {key: entry for key, entry in zip(map(id, call.live), inputs, strict=True) if entry}
            low = call(lambda tensor: ranges[id(tensor)][1] if id(tensor) in ranges else tensor)
            high = call(lambda tensor: ranges[id(tensor)][2] if id(tensor) in ranges else tensor)
            self._ranges[id(out)] = (out, low, high)
        return out

    def _handle_in_place(self, call: Call) -> Any:
        """Run an in-place call on a copy and write the result back: rules read the values before the call."""
        target = call.args[0]
        if call.name not in HANDLERS or not isinstance(target, torch.Tensor):
            self.untraceable.add(call.name)
            return call()
        own = target.clone()
        if id(target) in self._ranges:
            self._ranges[id(own)] = (own, *self._ranges.pop(id(target))[1:])
        out = self._handle(Call(call.func, (own, *call.args[1:]), call.kwargs))
        target.copy_(out)
        if id(out) in self._ranges:
            self._ranges[id(target)] = (target, *self._ranges[id(out)][1:])
        return target

    def _rule(self, kind: str, bounds: tuple[torch.Tensor, torch.Tensor] | None) -> Rule:
        if kind in ("mix", "norm"):
            return self.composite.mix if kind == "mix" else Epsilon()
        if self._top is not None:
            # Relevance reaches the layer that scores before all others.
            top, self._top = self._top, None
            return top
        if bounds is not None and self.composite.first is not None:
            return self.composite.first(*bounds)
        return self.composite.conv if kind == "conv" else self.composite.dense

    def share(self, x: torch.Tensor, step: Step, kind: str = "mix", name: str = "") -> torch.Tensor:
        """Return the step's output for x, which will share its relevance by the rule for this kind of step."""
        raw = self._ranges.get(id(x))
        bounds = None if raw is None else (torch.minimum(*raw[1:]), torch.maximum(*raw[1:]))
        if bounds is not None:
            step = replace(step, field=(bounds[0] < bounds[1]).to(x.dtype))
        out: torch.Tensor = Share.apply(x, step, lambda: self._rule(kind, bounds), (kind, name))
        self._latest = LinearCall(out, out._version, x, step, kind) if kind in ("conv", "dense") else None
        return out

    def linear_before(self, x: torch.Tensor) -> LinearCall | None:
        """Return the linear layer that made x, if it was the last one and x has not been changed since."""
        latest = self._latest
        return latest if latest is not None and latest.out is x and latest.version == x._version else None


def find_steps(outputs: torch.Tensor) -> set[tuple[str, str]]:
    """Return (kind, name) of every step on the path back from the outputs; the kind is "unknown" where no rule is
    known.
    """
    steps, visited, stack = set(), set(), [outputs.grad_fn]
    while stack:
        node = stack.pop()
        if node is None or node in visited:
            continue
        visited.add(node)
        stack += [before for before, _ in node.next_functions]
        if hasattr(node, "label"):
            steps.add(node.label)
    return steps
