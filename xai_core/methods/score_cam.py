"""Score-CAM: activations of a layer weighted by the score of the picture masked with them.

Wang et al. 2019, arXiv:1910.01279, algorithm 1: activations upsampled, scaled to 0..1 and multiplied into the prepared
picture; weights are the softmax over channels of the logit. (The score of the empty picture that the paper subtracts
cancels in the softmax.)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.base.structure import refuse_without_layer
from xai_core.methods.shared.layer_grid import RELU, compute_activations, make_raw_map, upsample
from xai_core.params import Int

MIN_RANGE = torch.finfo(torch.float32).tiny


def run(request: Request) -> RawMap:
    """Return the evidence for the target at each place of the layer, (H, W)."""
    activations = compute_activations(request)
    spread = activations.flatten(1).std(1, correction=0)
    # A flat channel makes no mask.
    varying = int((spread > 0).sum())
    channels = spread.topk(min(request.integer("channels"), varying)).indices.cpu()
    request.job.expect(len(channels) + 2)

    def compose(rows: torch.Tensor) -> torch.Tensor:
        masks = upsample(request, activations[rows.to(activations.device)])
        low, high = (getattr(masks, edge)((1, 2), keepdim=True) for edge in ("amin", "amax"))
        pictures: torch.Tensor = request.x * ((masks - low) / (high - low).clamp_min(MIN_RANGE))[:, None]
        return pictures

    if not varying:
        return make_raw_map(request, torch.zeros_like(activations[0]))

    def weigh_channels(scores: torch.Tensor) -> RawMap:
        """Weigh the first channels by their scores (n,)."""
        weights = scores.double().softmax(0).float().to(activations.device)
        selected = activations[channels[: len(scores)].to(activations.device)]
        return make_raw_map(request, (weights.view(-1, 1, 1) * selected).sum(0))

    def offer_map(parts: Sequence[torch.Tensor]) -> None:
        request.offer_preview(lambda: weigh_channels(torch.cat(list(parts))).values)

    raw = weigh_channels(request.evaluator.scores(channels, compose, offer_map))
    raw.details["channels"] = float(len(channels))
    return raw


METHODS.add(
    MethodSpec(
        name="score_cam",
        title="Region map by trial",
        technical="Score-CAM",
        question="Which parts of the picture keep the score up when only they are let through?",
        sentence=(
            "{For} regions keep {score} high when the model sees the picture only through them.[ {Against} "
            "regions lower it.]"
        ),
        caution="It tries pictures the model has never met, and one or two windows often decide the whole map.",
        family="activation",
        paper="Wang et al. 2019, arXiv:1910.01279",
        verdict="passes",
        sanity=(
            "Passes: its authors report that the map changes when the weights are made random (Wang et al. 2019, "
            "arXiv:1910.01279)."
        ),
        run=run,
        cost=lambda params, side: min(int(params["channels"]), 512) + 2,
        unit="mean activation",
        grows=True,
        uses_layer=True,
        refusal=refuse_without_layer,
        quick_params=lambda _side: {"channels": 8},
        params=(
            RELU,
            Int(
                name="channels",
                title="Maps tried",
                help=(
                    "At most this many maps of the layer, those that vary most. The paper tries all; fewer is quicker."
                ),
                default=4096,
                low=1,
                high=4096,
                advanced=True,
            ),
        ),
    )
)
