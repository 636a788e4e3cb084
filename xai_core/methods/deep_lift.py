"""DeepLIFT: the change of the score against a baseline, attributed step by step through the network.

Shrikumar et al. 2017, arXiv:1704.02685, rescale rule; for attention, gates and norms see `xai_core.rules.deep_lift`.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.deep_lift import BASELINE, POINTS, TOLERANCE, average_deep_lift


def run(request: Request) -> RawMap:
    """Return the part of f(x) - f(baseline) due to each value of the input, (C, H, W), in logits; they add up to it."""
    return average_deep_lift(request, request.make_baseline(request.choice("baseline")))


METHODS.add(
    MethodSpec(
        name="deep_lift",
        title="Step-by-step shares",
        technical="DeepLIFT",
        question=(
            "Which pixels made the difference to an empty picture, followed back through every step of the network?"
        ),
        sentence=(
            "{For} pixels raised {score} compared with {baseline}[, {against} pixels lowered it]; together they "
            "add up to the difference."
        ),
        caution="It depends on the empty picture it starts from: pixels that are the same in both count nothing.",
        family="path",
        paper="Shrikumar et al. 2017, arXiv:1704.02685",
        run=run,
        cost=lambda params, side: 3,
        gradient=True,
        random=True,
        verdict="passes",
        sanity=(
            "It passed: when later layers of VGG-16 and ResNet-50 were replaced by random ones, its maps changed, "
            "unlike those of the other special backward rules tested (Sixt et al. 2020, arXiv:1912.09818)."
        ),
        params=(BASELINE, POINTS, TOLERANCE),
    )
)
