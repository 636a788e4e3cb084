"""Deep SHAP: DeepLIFT's attributions, averaged over several baselines.

Lundberg & Lee 2017, arXiv:1705.07874, section 4.2: with baselines sampled from the background, the mean approximates
SHAP values.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.deep_lift import BASELINE_SET, POINTS, TOLERANCE, average_deep_lift, draw_baselines
from xai_core.params import Int


def run(request: Request) -> RawMap:
    """Return the part of f(x) less the mean f(baseline) due to each value of the input, (C, H, W), in logits.

    They add up to it.
    """
    return average_deep_lift(request, draw_baselines(request, request.integer("count")))


METHODS.add(
    MethodSpec(
        name="deep_shap",
        title="Shares from many starts",
        technical="Deep SHAP",
        question="Which pixels make this picture score differently from several others?",
        sentence=(
            "{For} pixels raised {score} compared with {baselines}, on average[; {against} pixels lowered it]. "
            "They add up to the difference."
        ),
        caution="It answers for the pictures it compares with: other ones may give another map.",
        family="path",
        paper="Lundberg & Lee 2017, arXiv:1705.07874",
        run=run,
        cost=lambda params, side: 2 * int(params["count"]) + 1,
        gradient=True,
        random=True,
        quick_params=lambda _side: {"count": 2},
        params=(
            BASELINE_SET,
            Int(
                name="count",
                title="Pictures",
                help=(
                    "How many pictures it is compared with, at most as many as there are. More is steadier and slower."
                ),
                default=8,
                low=1,
                high=50,
            ),
            POINTS,
            TOLERANCE,
        ),
    )
)
