"""How one linear step hands relevance down to its inputs: the rules of layer-wise relevance propagation, a few lines each.

Bach et al. 2015, doi:10.1371/journal.pone.0130140 (epsilon, alpha-beta); Montavon et al. 2017, arXiv:1512.02479 (z+, box); Montavon et al.
2019, doi:10.1007/978-3-030-28954-6_10 (gamma), for values of both signs as in Andéol et al. 2021, arXiv:2112.11407; Lapuschkin et al. 2019,
arXiv:1902.10178 (flat).

Nothing gets lost: what a bias, a stabilizer or a unit that no input speaks for would keep is spread over the unit's inputs, in proportion
to the size of what each contributes; where all contribute nothing, over what lies nearest. In proportion, because relevance then stays
where values are: an even share would land on values near zero, which the next division blows up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

Apply = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Parts = list[tuple[torch.Tensor, torch.Tensor]]
"""Inputs and weights whose outputs a rule tells apart."""
_TINY = 1e-30
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Step:
    """A linear step of the network: `apply(x, weight)`, linear in either, plus a bias.

    `sizes` is used instead of `apply` to spread what is left, where absolute weights alone do not make it a sum of sizes. `field` marks
    the inputs that may take relevance, all where None; `sees` is the step with all channels taken together, for convolutions.
    """

    apply: Apply
    weight: torch.Tensor
    bias: torch.Tensor | None = None
    sizes: Apply | None = None
    field: torch.Tensor | None = None
    sees: Apply | None = None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.biased(self.apply(x, self.weight))

    def biased(self, out: torch.Tensor) -> torch.Tensor:
        return out if self.bias is None else out + self.bias


def _ratio(above: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
    """Above / below, and 0 where there is nothing to divide by."""
    return torch.where(below.abs() > _TINY, above / below, 0.0)


def _back(
    apply: Apply, parts: Parts, slopes: Callable[[list[torch.Tensor]], list[torch.Tensor]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """What the inputs of the parts get for slopes made from the parts' outputs, and what each output gives away by that."""
    with torch.enable_grad():
        leaves = [x.detach().requires_grad_(True) for x, _ in parts]
        outs = [apply(leaf, weight) for leaf, (_, weight) in zip(leaves, parts, strict=True)]
    values = [out.detach() for out in outs]
    found = slopes(values)
    gradients = torch.autograd.grad(outs, leaves, found)
    down = [x * gradient for (x, _), gradient in zip(parts, gradients, strict=True)]
    given = [slope * value for slope, value in zip(found, values, strict=True)]
    return torch.stack(down).sum(0), torch.stack(given).sum(0)


def _everywhere(sizes: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """Each picture's rest over all the step's inputs by size."""
    total = sizes.flatten(1).sum(1).clamp(min=_TINY)
    return sizes * (rest.flatten(1).sum(1) / total).view(-1, *[1] * (sizes.ndim - 1))


def _spread(step: Step, x: torch.Tensor, left: torch.Tensor) -> torch.Tensor:
    """What no input earned, over the inputs that the unit sees, by size; over all of the step's where those are nothing."""
    field = torch.ones_like(x) if step.field is None else step.field
    sizes = x.abs() * field
    if not sizes.any():
        return _everywhere(field, left)
    down, given = _back(
        step.sees or step.apply, [(sizes, torch.ones_like(step.weight))], lambda outs: [_ratio(left, outs[0])]
    )
    rest = left - given
    return down + _everywhere(sizes, rest) if rest.abs().max() > _ROUNDING * left.abs().max() else down


def _same_sign(x: torch.Tensor, weight: torch.Tensor) -> Parts:
    """The parts that push an output up: both factors positive, or both negative."""
    found = [(x.clamp(min=0), weight.clamp(min=0))]
    return [*found, (x.clamp(max=0), weight.clamp(max=0))] if bool((x < 0).any()) else found


def _other_sign(x: torch.Tensor, weight: torch.Tensor) -> Parts:
    """The parts that pull an output down; as many as those that push it up."""
    return [(part, -other) for part, other in _same_sign(x, -weight)]


class Rule:
    """One way to share. A rule names the parts it tells apart, and the relevance for each unit of a part's output."""

    spreads = True

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        raise NotImplementedError

    def slopes(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        raise NotImplementedError

    def share(self, step: Step, x: torch.Tensor, relevance: torch.Tensor) -> torch.Tensor:
        """The inputs' relevance, shaped like them, for that of the outputs. The sums are equal where the rule spreads what is left."""
        down, given = _back(step.apply, self.parts(x, step.weight), lambda outs: self.slopes(relevance, outs, step))
        left = relevance - given
        if not self.spreads or left.abs().max() <= _ROUNDING * relevance.abs().max():
            return down
        return down + _spread(step, x, left)


@dataclass(frozen=True)
class Epsilon(Rule):
    """By contribution to the output; `epsilon` times the outputs' root mean square is added to each, away from zero."""

    epsilon: float = 1e-6

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return [(x, weight)]

    def slopes(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        z = step.biased(outs[0])
        stabilizer = self.epsilon * z.square().mean().sqrt()
        return [_ratio(relevance, z + torch.where(z < 0, -stabilizer, stabilizer))]


@dataclass(frozen=True)
class Plus(Rule):
    """By positive contribution only: z+, the rule of excitation backprop, and alpha-beta with alpha 1 and beta 0."""

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return _same_sign(x, weight)

    def slopes(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        return [_ratio(relevance, torch.stack(outs).sum(0))] * len(outs)


@dataclass(frozen=True)
class AlphaBeta(Rule):
    """`alpha` times by positive contribution less `beta` times by negative one."""

    alpha: float = 2.0
    beta: float = 1.0
    spreads: bool = True

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return _same_sign(x, weight) + _other_sign(x, weight)

    def slopes(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        half = len(outs) // 2
        up, down = (torch.stack(part).sum(0) for part in (outs[:half], outs[half:]))
        return [_ratio(self.alpha * relevance, up)] * half + [_ratio(-self.beta * relevance, down)] * half


@dataclass(frozen=True)
class Gamma(Rule):
    """By contribution, those of the output's own sign counting `gamma` times more. The bias counts as one of them."""

    gamma: float = 0.25

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return [(x, weight), *_same_sign(x, weight), *_other_sign(x, weight)]

    def slopes(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        z, half = step.biased(outs[0]), (len(outs) - 1) // 2
        bias = z - outs[0]
        up = torch.stack(outs[1 : half + 1]).sum(0) + bias.clamp(min=0)
        down = torch.stack(outs[half + 1 :]).sum(0) + bias.clamp(max=0)
        slope = _ratio(relevance, z + self.gamma * torch.where(z > 0, up, down))
        return [slope, *[self.gamma * slope * (z > 0)] * half, *[self.gamma * slope * (z <= 0)] * half]


@dataclass(frozen=True, eq=False)
class Flat(Rule):
    """Evenly over the field a unit sees, whatever the picture holds there."""

    field: torch.Tensor

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return [(self.field, torch.ones_like(weight))]

    def slopes(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        return [_ratio(relevance, outs[0])]


@dataclass(frozen=True, eq=False)
class Box(Rule):
    """By how far each value is from the end of its range that speaks most against the output; never negative."""

    low: torch.Tensor
    high: torch.Tensor

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return [
            (x, weight),
            (self.low.expand_as(x), weight.clamp(min=0)),
            (self.high.expand_as(x), weight.clamp(max=0)),
        ]

    def slopes(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        slope = _ratio(relevance, outs[0] - outs[1] - outs[2])
        return [slope, -slope, -slope]
