"""Excitation backprop: a random walk from the class down to the pixels along connections that excite each unit.

Zhang et al. 2016, arXiv:1608.00507; the contrastive map is section 3.3. Where no input excites a unit the paper drops
its probability; here it goes to the inputs that the unit sees, so that the whole stays 1. A sum counts as a layer whose
weights are 1.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.relevance import propagate_relevance, refuse_negative_activations, target_signs
from xai_core.params import Flag
from xai_core.rules import Composite
from xai_core.rules.lrp_rules import AlphaBeta, Plus

# Rule of the layer that scores: excitation of the class less that of its opposite, with all weights reversed.
_CONTRAST = AlphaBeta(alpha=1, beta=1, conserves=False)


def run(request: Request) -> RawMap:
    """Return the probability that the walk ends on each value, (C, H, W), which sums to 1.

    Contrastive: less that of the opposite class.
    """
    plus, contrastive = Plus(), bool(request.params["contrastive"])
    composite = Composite(plus, plus, mix=plus, top=_CONTRAST if contrastive else None, norms_pass=True)
    probability, _ = propagate_relevance(request, composite, lambda logits: target_signs(request, logits))
    return RawMap(probability, {"probability_sum": float(probability.double().sum())})


METHODS.add(
    MethodSpec(
        name="excitation_backprop",
        title="Strongest paths",
        technical="Excitation backprop",
        question="Where do the strongest paths from the class down through the network end?",
        sentence=(
            "The more strongly {for} a place is, the more of the paths that excite {class} end there; all places "
            "together make 1."
        ),
        variants=(
            (
                {"contrastive": True},
                "{For} places excite {class} more than its opposite[; {against} places excite the opposite more].",
            ),
        ),
        caution=(
            "It counts only what speaks for the class; plain maps of different classes are nearly the same, "
            "contrastive ones are not."
        ),
        family="relevance",
        paper="Zhang et al. 2016, arXiv:1608.00507",
        run=run,
        cost=lambda params, side: 2,
        unit="share of the paths",
        gradient=True,
        verdict="fails",
        sanity=(
            "Fails: in Sixt et al. 2020, arXiv:1912.09818, such maps hardly changed when late layers were made random: "
            "rules that pass on positive parts only forget the class on the way down."
        ),
        refusal=refuse_negative_activations,
        params=(
            Flag(
                name="contrastive",
                title="Against its opposite",
                help=(
                    "On: less the paths of a class with all its weights reversed, so that what excites everything "
                    "cancels out."
                ),
                default=False,
            ),
        ),
    )
)
