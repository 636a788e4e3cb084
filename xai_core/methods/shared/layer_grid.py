"""What the class activation maps share: the probe that reads a layer in any layout, and the way from its grid back to the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import RawMap
from xai_core.params import Flag

RELU = Flag(
    name="relu",
    title="Only evidence for the class",
    help="On, as in the paper: places that speak against the class are left out. Off: they are shown as well.",
    default=True,
)


def probe(request: Request) -> nn.Module:
    """A module on the private copy whose output is the layer's maps (N, C, rows, columns), whatever the layer's own layout.

    The graph starts at the layer: nothing before it needs a gradient, so the call costs little more than a forward pass. The rest of the
    network gets a clone, since it may overwrite what the layer returned (ResNet adds its short cut in place).
    """
    layer, probe = request.required_layer, nn.Identity()

    def through_probe(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        own = output.detach().requires_grad_(True)
        return layer.from_maps(probe(layer.to_maps(own)), own).clone()

    request.module.get_submodule(layer.name).register_forward_hook(through_probe)
    return probe


def maps_and_gradients(request: Request) -> tuple[torch.Tensor, torch.Tensor]:
    """The layer's maps and the gradient of the explained number by them, each (C, rows, columns); of a reused layer the last call's."""
    kept: list[torch.Tensor] = []
    probe(request).register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    with request.evaluator.exclusive(), torch.enable_grad():
        score = request.evaluator.select(request.module(request.x))
        (gradients,) = torch.autograd.grad(score.sum(), kept[-1])
    request.evaluator.count(1)
    return kept[-1][0].detach(), gradients[0]


def maps_only(request: Request) -> torch.Tensor:
    """The layer's maps, (C, rows, columns), by one forward pass."""
    kept: list[torch.Tensor] = []
    probe(request).register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    with request.evaluator.exclusive(), torch.no_grad():
        request.module(request.x)
    request.evaluator.count(1)
    return kept[-1][0].detach()


def upsample(request: Request, maps: torch.Tensor) -> torch.Tensor:
    """Maps (C, rows, columns) stretched over the picture, (C, H, W)."""
    return F.interpolate(maps[None], tuple(request.x.shape[-2:]), mode="bilinear", align_corners=False)[0]


def on_picture(request: Request, cam: torch.Tensor, relu: bool = False) -> RawMap:
    """A map on the layer's grid (rows, columns) as the method's map (H, W), cut at zero where that is asked for."""
    if relu or request.params.get("relu"):
        cam = cam.relu()
    rows, columns = cam.shape
    return RawMap(upsample(request, cam[None])[0], {"grid_rows": float(rows), "grid_columns": float(columns)})


def weighted(
    request: Request, weigh: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], relu: bool = False
) -> RawMap:
    """The layer's maps summed with weights that `weigh` finds from maps and gradients: (C, 1, 1) or (C, rows, columns)."""
    maps, gradients = maps_and_gradients(request)
    return on_picture(request, (weigh(maps, gradients) * maps).sum(0), relu)
