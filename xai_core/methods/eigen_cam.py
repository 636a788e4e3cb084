"""Eigen-CAM: the common part of the layer's activations, whatever the class.

Muhammad & Yeasin 2020, arXiv:2008.00299: activations projected on their first principal direction, not centred, as in
the paper.
"""

from __future__ import annotations

import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.base.structure import refuse_without_layer
from xai_core.methods.shared.layer_grid import compute_activations, make_raw_map


def run(request: Request) -> RawMap:
    """Return the projection of the layer's channels on their first principal direction, (H, W); its sum is positive."""
    activations = compute_activations(request)
    _, strengths, directions = torch.linalg.svd(activations.flatten(1).double(), full_matrices=False)
    cam = (strengths[0] * directions[0]).view(activations.shape[1:]).float()
    return make_raw_map(request, cam if cam.sum() >= 0 else -cam)


METHODS.add(
    MethodSpec(
        name="eigen_cam",
        title="Main pattern in the layer",
        technical="Eigen-CAM",
        question="Where does this layer see something, whatever the class?",
        sentence=(
            "{For} regions are where most channels of {layer} respond together: usually the main object.[ "
            "{Against} regions respond the opposite way.]"
        ),
        caution=(
            "It does not know about classes: the map is the same whichever class you choose, so it explains no "
            "decision."
        ),
        family="activation",
        paper="Muhammad & Yeasin 2020, arXiv:2008.00299",
        run=run,
        cost=lambda params, side: 2,
        unit="projected activation",
        uses_layer=True,
        class_specific=False,
        refusal=refuse_without_layer,
    )
)
