"""Guided backpropagation: a gradient in which rectifiers pass back only what is positive.

Springenberg et al. 2014, arXiv:1412.6806. It fails the sanity checks of Adebayo et al. 2018, arXiv:1810.03292.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.base.structure import refuse_without_rectifier
from xai_core.methods.shared.gradients import apply_rectifier_rule
from xai_core.rules import Guided


def run(request: Request) -> RawMap:
    """Return the guided gradient by each value of the prepared picture, (C, H, W), signed, in logits per unit of it."""
    return RawMap(*apply_rectifier_rule(request, Guided()))


METHODS.add(
    MethodSpec(
        name="guided_backprop",
        title="Sharp outlines",
        technical="Guided backpropagation",
        question="Which fine structures of the picture light up inside the network?",
        sentence=(
            "{For}[ and {against}] lines are structures that the network's units respond to; they are sharp "
            "because negative signals are cut off."
        ),
        caution=(
            "It fails the sanity checks of Adebayo 2018: the map hardly changes when the network's weights are "
            "replaced by random ones, "
            "so it shows edges of the picture more than reasons of the model."
        ),
        family="gradient",
        paper="Springenberg et al. 2014, arXiv:1412.6806",
        verdict="fails",
        sanity=(
            "Fails: the map hardly changed when the upper layers got random weights (Adebayo et al. 2018, "
            "arXiv:1810.03292)."
        ),
        run=run,
        cost=lambda params, side: 3,
        unit="guided logit per unit of input",
        gradient=True,
        refusal=refuse_without_rectifier,
    )
)
