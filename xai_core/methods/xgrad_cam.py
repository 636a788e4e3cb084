"""XGrad-CAM: weights chosen so that the map adds up to the layer's activation times gradient.

Fu et al. 2020, arXiv:2008.02312. Each channel's gradient is averaged with the channel's own activations as weights.
"""

from __future__ import annotations

import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.base.structure import refuse_without_layer
from xai_core.methods.shared.layer_grid import RELU, sum_weighted_activations

# Smallest sum of a channel relative to its size: below, its activations cancel and it gets no weight.
MIN_SUM = 1e-6


def weigh_channels(activations: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """Return a weight per channel, (C, 1, 1): the mean of its gradients weighted by its activations."""
    total = activations.sum((1, 2), keepdim=True)
    sound = total.abs() > MIN_SUM * activations.abs().sum((1, 2), keepdim=True)
    return torch.where(sound, (gradients * activations).sum((1, 2), keepdim=True) / total, 0)


def run(request: Request) -> RawMap:
    """Return the evidence for the target at each place of the layer, (H, W)."""
    return sum_weighted_activations(request, weigh_channels)


METHODS.add(
    MethodSpec(
        name="xgrad_cam",
        title="Region map that adds up",
        technical="XGrad-CAM",
        question=(
            "Which region made the model think of this class, if the region must account for the layer's whole effect?"
        ),
        sentence=(
            "{For} regions are where {layer} found signs of {class}, weighted so that the places add up to the "
            "layer's effect.[ {Against} regions speak against it.]"
        ),
        caution=(
            "Its weights assume a layer without negative values, one after a rectifier; elsewhere a channel can get "
            "too much weight."
        ),
        family="activation",
        paper="Fu et al. 2020, arXiv:2008.02312",
        run=run,
        cost=lambda params, side: 2,
        unit="weighted activation",
        gradient=True,
        uses_layer=True,
        refusal=refuse_without_layer,
        params=(RELU,),
    )
)
