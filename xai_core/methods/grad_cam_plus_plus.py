"""Grad-CAM++: Grad-CAM with weights that count small and several objects as fully as a large one.

Chattopadhyay et al. 2018, arXiv:1710.11063, equations 10 and 19. The paper explains exp(score), which only scales the
map: its higher derivatives are powers of the gradient, so g² / (2 g² + g³ ΣA) becomes 1 / (2 + g ΣA).
"""

from __future__ import annotations

import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.base.structure import refuse_without_layer
from xai_core.methods.shared.layer_grid import RELU, sum_weighted_activations


def weigh_channels(activations: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """Return a weight per channel, (C, 1, 1): its positive gradients, each by how much of the channel it explains."""
    parts = 2 + gradients * activations.sum((1, 2), keepdim=True)
    alpha = torch.where((gradients > 0) & (parts != 0), 1 / parts, 0)
    return (alpha * gradients).sum((1, 2), keepdim=True)


def run(request: Request) -> RawMap:
    """Return the evidence for the target at each place of the layer, (H, W)."""
    return sum_weighted_activations(request, weigh_channels)


METHODS.add(
    MethodSpec(
        name="grad_cam_plus_plus",
        title="Region map for several objects",
        technical="Grad-CAM++",
        question="Which regions made the model think of this class, small and repeated ones included?",
        sentence=(
            "{For} regions are where {layer} found signs of {class}; there can be several.[ {Against} regions "
            "speak against it.]"
        ),
        caution=(
            "It leaves out whatever speaks against the class, is as coarse as the region map, and often nearly "
            "equals it."
        ),
        family="activation",
        paper="Chattopadhyay et al. 2018, arXiv:1710.11063",
        run=run,
        cost=lambda params, side: 2,
        unit="weighted activation",
        gradient=True,
        uses_layer=True,
        refusal=refuse_without_layer,
        params=(RELU,),
    )
)
