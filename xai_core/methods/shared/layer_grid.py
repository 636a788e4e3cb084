"""Activations and gradients of a layer in any layout, and maps on the layer's grid upsampled to the picture."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import RawMap
from xai_core.models.probe import probe_layer
from xai_core.params import Flag

RELU = Flag(
    name="relu",
    title="Only evidence for the class",
    help="On, as in the paper: places that speak against the class are left out. Off: they are shown as well.",
    default=True,
)


def compute_activations(request: Request) -> torch.Tensor:
    """Return the layer's activations, (C, rows, columns), by one forward pass."""
    outputs: list[torch.Tensor] = []
    probe_layer(request.module, request.required_layer).register_forward_hook(
        lambda _module, _inputs, output: outputs.append(output)
    )
    with request.evaluator.exclusive(), torch.no_grad():
        request.module(request.x)
    request.evaluator.count(1)
    return outputs[-1][0].detach()


def upsample(request: Request, grids: torch.Tensor) -> torch.Tensor:
    """Upsample grids (C, rows, columns) to the picture, (C, H, W)."""
    return F.interpolate(grids[None], tuple(request.x.shape[-2:]), mode="bilinear", align_corners=False)[0]


def make_raw_map(request: Request, cam: torch.Tensor, relu: bool = False) -> RawMap:
    """Upsample a map on the layer's grid (rows, columns) to (H, W), cut at zero first if `relu` or the parameter is."""
    if relu or request.params.get("relu"):
        cam = cam.relu()
    rows, columns = cam.shape
    return RawMap(upsample(request, cam[None])[0], {"grid_rows": float(rows), "grid_columns": float(columns)})


def sum_weighted_activations(
    request: Request, weigh: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], relu: bool = False
) -> RawMap:
    """Sum the layer's activations over channels, weighted by `weigh(activations, gradients)`, as a map (H, W).

    The weights are (C, 1, 1) or (C, rows, columns).
    """
    activations, gradients = request.evaluator.layer_gradients(request.required_layer)
    return make_raw_map(request, (weigh(activations, gradients) * activations).sum(0), relu)
