"""Eigen-CAM: what most of the layer's maps have in common, whatever the class.

Muhammad & Yeasin 2020, arXiv:2008.00299: the maps projected on their first principal direction, not centred, as in the paper.
"""

from __future__ import annotations

import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.base.structure import without_layer
from xai_core.methods.shared.layer_grid import maps_only, on_picture


def run(request: Request) -> RawMap:
    """Projection of the layer's channels on their first principal direction at each place, (H, W); the sign makes its sum positive."""
    maps = maps_only(request)
    _, strength, places = torch.linalg.svd(maps.flatten(1).double(), full_matrices=False)
    cam = (strength[0] * places[0]).view(maps.shape[1:]).float()
    return on_picture(request, cam if cam.sum() >= 0 else -cam)


METHODS.add(
    MethodSpec(
        name="eigen_cam",
        title="What stands out in the layer",
        technical="Eigen-CAM",
        question="Where does this layer see something, whatever the class?",
        sentence="Bright regions are where most of the layer's maps respond together: usually the main object.",
        caution="It does not know about classes: the map is the same whichever class you choose, so it explains no decision.",
        family="activation",
        paper="Muhammad & Yeasin 2020, arXiv:2008.00299",
        run=run,
        cost=lambda params, side: 2,
        unit="projected activation",
        uses_layer=True,
        class_specific=False,
        refusal=without_layer,
    )
)
