"""The rules of layer-wise relevance propagation, by which one linear step hands relevance down to its inputs.

Bach et al. 2015, doi:10.1371/journal.pone.0130140 (epsilon, alpha-beta); Montavon et al. 2017, arXiv:1512.02479 (z+,
box); Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10 (gamma), for values of both signs as in Andéol et al. 2021,
arXiv:2112.11407; Lapuschkin et al. 2019, arXiv:1902.10178 (flat).

Relevance is conserved: the part that a bias, a stabilizer or a unit without contributions would keep is distributed
over the unit's inputs in proportion to the size of their contributions, and where all of those are zero, over all
inputs. In proportion, because an even share would land on values near zero, which the next division blows up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

Apply = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
# Inputs and weights of the parts of a step that a rule treats separately.
Parts = list[tuple[torch.Tensor, torch.Tensor]]
_TINY = 1e-30
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Step:
    """A linear step of the network: `apply(x, weight)`, linear in either, plus a bias.

    `field` marks the inputs that may take relevance, all where None; `all_channels` is the step with all channels taken
    together, by which relevance that no input earned is distributed.
    """

    apply: Apply
    weight: torch.Tensor
    bias: torch.Tensor | None = None
    field: torch.Tensor | None = None
    all_channels: Apply | None = None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.add_bias(self.apply(x, self.weight))

    def add_bias(self, out: torch.Tensor) -> torch.Tensor:
        return out if self.bias is None else out + self.bias


def _divide(above: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
    """Return above / below, and 0 where `below` is zero."""
    return torch.where(below.abs() > _TINY, above / below, 0.0)


def _propagate(
    apply: Apply, parts: Parts, make_gradients: Callable[[list[torch.Tensor]], list[torch.Tensor]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the relevance that inputs get for gradients made from the parts' outputs, and the relevance each output
    gives away.
    """
    with torch.enable_grad():
        leaves = [x.detach().requires_grad_(True) for x, _ in parts]
        outs = [apply(leaf, weight) for leaf, (_, weight) in zip(leaves, parts, strict=True)]
    values = [out.detach() for out in outs]
    out_gradients = make_gradients(values)
    in_gradients = torch.autograd.grad(outs, leaves, out_gradients)
    down = [x * gradient for (x, _), gradient in zip(parts, in_gradients, strict=True)]
    given_away = [gradient * value for gradient, value in zip(out_gradients, values, strict=True)]
    return torch.stack(down).sum(0), torch.stack(given_away).sum(0)


def _distribute_by_size(sizes: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """Distribute each picture's remaining relevance over all inputs of the step by size."""
    total = sizes.flatten(1).sum(1).clamp(min=_TINY)
    return sizes * (rest.flatten(1).sum(1) / total).view(-1, *[1] * (sizes.ndim - 1))


def _distribute(step: Step, x: torch.Tensor, left: torch.Tensor) -> torch.Tensor:
    """Distribute relevance that no input earned over the inputs that the unit sees, by size; over all inputs where
    those are zero.
    """
    field = torch.ones_like(x) if step.field is None else step.field
    sizes = x.abs() * field
    if not sizes.any():
        return _distribute_by_size(field, left)
    down, given_away = _propagate(
        step.all_channels or step.apply, [(sizes, torch.ones_like(step.weight))], lambda outs: [_divide(left, outs[0])]
    )
    rest = left - given_away
    return down + _distribute_by_size(sizes, rest) if rest.abs().max() > _ROUNDING * left.abs().max() else down


def _positive_parts(x: torch.Tensor, weight: torch.Tensor) -> Parts:
    """Return the parts that raise an output: both factors positive, or both negative."""
    positive = [(x.clamp(min=0), weight.clamp(min=0))]
    return [*positive, (x.clamp(max=0), weight.clamp(max=0))] if bool((x < 0).any()) else positive


def _negative_parts(x: torch.Tensor, weight: torch.Tensor) -> Parts:
    """Return the parts that lower an output, as many as those that raise it."""
    return [(part, -negated) for part, negated in _positive_parts(x, -weight)]


class Rule:
    """One rule: the parts it treats separately, and the gradient for each part's output."""

    conserves = True

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        raise NotImplementedError

    def gradients(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        raise NotImplementedError

    def share(self, step: Step, x: torch.Tensor, relevance: torch.Tensor) -> torch.Tensor:
        """Return the inputs' relevance, shaped like them, for the outputs'.

        The sums are equal where the rule conserves relevance.
        """
        down, given_away = _propagate(
            step.apply, self.parts(x, step.weight), lambda outs: self.gradients(relevance, outs, step)
        )
        left = relevance - given_away
        if not self.conserves or left.abs().max() <= _ROUNDING * relevance.abs().max():
            return down
        return down + _distribute(step, x, left)


@dataclass(frozen=True)
class Epsilon(Rule):
    """LRP-epsilon (Bach et al. 2015): by contribution to the output; `epsilon` times the outputs' root mean square is
    added to each, away from zero.
    """

    epsilon: float = 1e-6

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return [(x, weight)]

    def gradients(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        z = step.add_bias(outs[0])
        stabilizer = self.epsilon * z.square().mean().sqrt()
        return [_divide(relevance, z + torch.where(z < 0, -stabilizer, stabilizer))]


@dataclass(frozen=True)
class Plus(Rule):
    """LRP-z+ (Montavon et al. 2017): by positive contribution only, as in excitation backprop; alpha-beta with alpha 1,
    beta 0.
    """

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return _positive_parts(x, weight)

    def gradients(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        return [_divide(relevance, torch.stack(outs).sum(0))] * len(outs)


@dataclass(frozen=True)
class AlphaBeta(Rule):
    """LRP-alpha-beta (Bach et al. 2015): `alpha` times by positive contribution less `beta` times by negative
    contribution.
    """

    alpha: float = 2.0
    beta: float = 1.0
    conserves: bool = True

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return _positive_parts(x, weight) + _negative_parts(x, weight)

    def gradients(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        half = len(outs) // 2
        up, down = (torch.stack(part).sum(0) for part in (outs[:half], outs[half:]))
        return [_divide(self.alpha * relevance, up)] * half + [_divide(-self.beta * relevance, down)] * half


@dataclass(frozen=True)
class Gamma(Rule):
    """LRP-gamma (Montavon et al. 2019): contributions of the output's own sign count `gamma` times more, the bias
    included.
    """

    gamma: float = 0.25

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return [(x, weight), *_positive_parts(x, weight), *_negative_parts(x, weight)]

    def gradients(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        z, half = step.add_bias(outs[0]), (len(outs) - 1) // 2
        bias = z - outs[0]
        up = torch.stack(outs[1 : half + 1]).sum(0) + bias.clamp(min=0)
        down = torch.stack(outs[half + 1 :]).sum(0) + bias.clamp(max=0)
        gradient = _divide(relevance, z + self.gamma * torch.where(z > 0, up, down))
        return [gradient, *[self.gamma * gradient * (z > 0)] * half, *[self.gamma * gradient * (z <= 0)] * half]


@dataclass(frozen=True, eq=False)
class Flat(Rule):
    """LRP-flat (Lapuschkin et al. 2019): evenly over the inputs a unit sees, whatever their values."""

    field: torch.Tensor

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return [(self.field, torch.ones_like(weight))]

    def gradients(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        return [_divide(relevance, outs[0])]


@dataclass(frozen=True, eq=False)
class Box(Rule):
    """LRP-box (z-B, Montavon et al. 2017): by distance from the end of the input range that lowers the output most;
    never negative.
    """

    low: torch.Tensor
    high: torch.Tensor

    def parts(self, x: torch.Tensor, weight: torch.Tensor) -> Parts:
        return [
            (x, weight),
            (self.low.expand_as(x), weight.clamp(min=0)),
            (self.high.expand_as(x), weight.clamp(max=0)),
        ]

    def gradients(self, relevance: torch.Tensor, outs: list[torch.Tensor], step: Step) -> list[torch.Tensor]:
        gradient = _divide(relevance, outs[0] - outs[1] - outs[2])
        return [gradient, -gradient, -gradient]


@dataclass(frozen=True)
class Composite:
    """The rule of each kind of layer: convolutions, other linear layers, sums and means; the first layer; the one that
    scores.
    """

    conv: Rule
    dense: Rule
    mix: Rule = Epsilon()  # frozen: all composites may share it
    first: Callable[[torch.Tensor, torch.Tensor], Rule] | None = None
    """Built from the lowest and the highest values that the first layer could read."""
    top: Rule | None = None
    norms_pass: bool = False
    """True if a batch norm without a convolution passes relevance on as an activation does."""
