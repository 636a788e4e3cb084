"""Deep SHAP: DeepLIFT's shares, averaged over several pictures to start from.

Lundberg & Lee 2017, arXiv:1705.07874, section 4.2: with the pictures as a sample of the background, the mean approximates SHAP values.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.deep_lift import POINTS, TOLERANCE, choice_of_set, lifted, starts
from xai_core.params import Int


def run(request: Request) -> RawMap:
    """Share of f(x) less the mean f(baseline) that each value of the input accounts for, (C, H, W), in logits; they add up to it."""
    return lifted(request, starts(request, request.integer("count")))


METHODS.add(
    MethodSpec(
        name="deep_shap",
        title="Shares, many starts",
        technical="Deep SHAP",
        question="Which pixels make this picture score differently from several others?",
        sentence="Orange pixels raised the score against the other pictures on average, blue pixels lowered it. They add up to that.",
        caution="It answers for the pictures it compares with: other ones may give another map.",
        family="path",
        paper="Lundberg & Lee 2017, arXiv:1705.07874",
        run=run,
        cost=lambda params, side: 2 * int(params["count"]) + 1,
        gradient=True,
        random=True,
        params=(
            choice_of_set("blur"),
            Int(
                name="count",
                title="Pictures",
                help="How many pictures it is compared with, at most as many as there are. More is steadier and slower.",
                default=8,
                low=1,
                high=50,
            ),
            POINTS,
            TOLERANCE,
        ),
    )
)
