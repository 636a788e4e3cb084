"""Score-CAM: each map of the layer is tried as a window on the picture, and weighted by the score the model gives to what it lets through.

Wang et al. 2019, arXiv:1910.01279, algorithm 1: maps upsampled, stretched to 0..1 and multiplied into the prepared picture; weights are
the softmax over channels of the logit. (The score of the empty picture that the paper subtracts cancels in the softmax.)
"""

from __future__ import annotations

import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.base.structure import without_layer
from xai_core.methods.shared.layer_grid import RELU, maps_only, on_picture, upsample
from xai_core.params import Int

SMALLEST = torch.finfo(torch.float32).tiny


def run(request: Request) -> RawMap:
    """Evidence for the target at each place of the layer, (H, W): the layer's maps weighted by the score of what each lets through."""
    maps = maps_only(request)
    spread = maps.flatten(1).std(1, correction=0)
    varying = int((spread > 0).sum())  # a flat map has no window
    chosen = spread.topk(min(request.integer("channels"), varying)).indices.cpu()
    request.job.expect(len(chosen) + 2)

    def compose(rows: torch.Tensor) -> torch.Tensor:
        windows = upsample(request, maps[rows.to(maps.device)])
        low, high = (getattr(windows, edge)((1, 2), keepdim=True) for edge in ("amin", "amax"))
        pictures: torch.Tensor = request.x * ((windows - low) / (high - low).clamp_min(SMALLEST))[:, None]
        return pictures

    if not varying:
        return on_picture(request, torch.zeros_like(maps[0]))
    weights = request.evaluator.scores(chosen, compose).double().softmax(0).float().to(maps.device)
    found = on_picture(request, (weights.view(-1, 1, 1) * maps[chosen.to(maps.device)]).sum(0))
    found.details["channels"] = float(len(chosen))
    return found


METHODS.add(
    MethodSpec(
        name="score_cam",
        title="Region map by trying",
        technical="Score-CAM",
        question="Which parts of the picture keep the score up when only they are let through?",
        sentence="Bright regions are those that keep the score high when the model sees the picture only through them.",
        caution="It tries pictures the model has never met, and one or two windows often decide the whole map.",
        family="activation",
        paper="Wang et al. 2019, arXiv:1910.01279",
        sanity="Passes: its authors report that the map changes when the weights are made random (Wang et al. 2019, arXiv:1910.01279).",
        run=run,
        cost=lambda params, side: min(int(params["channels"]), 512) + 2,
        unit="mean activation",
        uses_layer=True,
        refusal=without_layer,
        params=(
            RELU,
            Int(
                name="channels",
                title="Maps tried",
                help="At most this many maps of the layer, those that vary most. The paper tries all; fewer is quicker.",
                default=4096,
                low=1,
                high=4096,
                advanced=True,
            ),
        ),
    )
)
