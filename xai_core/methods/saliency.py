"""Saliency: the gradient of the score by each pixel.

Simonyan et al. 2013, arXiv:1312.6034.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.gradients import CHANNELS, compute_gradient, reduce_channels
from xai_core.params import Flag


def run(request: Request) -> RawMap:
    """Return the gradient's size per pixel, (H, W), in logits per unit of the prepared picture; signed if chosen."""
    return RawMap(
        reduce_channels(compute_gradient(request), request.choice("channels"), bool(request.params["signed"]))
    )


METHODS.add(
    MethodSpec(
        name="saliency",
        title="Sensitive pixels",
        technical="Saliency (gradient)",
        question="Which pixels would move the score most if they changed a little?",
        sentence=("{For} pixels move {score} when they change a little, whichever way; many specks are normal."),
        variants=(
            (
                {"signed": True},
                (
                    "{For} pixels raise {score} when they get lighter[, {against} pixels lower it]; many specks are "
                    "normal."
                ),
            ),
        ),
        caution=(
            "It shows what the score reacts to, not what the score is made of, and it is noisy: compare with the "
            "smoothed map."
        ),
        family="gradient",
        paper="Simonyan et al. 2013, arXiv:1312.6034",
        verdict="passes",
        sanity=(
            "Passes: the map changed when the network's weights were made random (Adebayo et al. 2018, "
            "arXiv:1810.03292)."
        ),
        run=run,
        cost=lambda params, side: 2,
        unit="logit per unit of input",
        gradient=True,
        params=(
            CHANNELS,
            Flag(
                name="signed",
                title="Show the direction",
                help=(
                    "Off, as in the paper: only how strongly. On: also whether brighter raises the score or lowers it."
                ),
                default=False,
            ),
        ),
    )
)
