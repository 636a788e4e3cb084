"""Grad-CAM: which places of a layer's feature maps speak for the class.

Selvaraju et al. 2017, arXiv:1610.02391. Computed by Captum's LayerGradCam on the raw maps, then upsampled.
"""

from __future__ import annotations

from typing import Any

import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import nn

from xai_core.engine.turns import TURNS
from xai_core.methods._base import METHODS, MethodSpec, RawMap, Request
from xai_core.models.classifier import Classifier
from xai_core.params import Flag


def _probe(request: Request) -> nn.Module:
    """A module on the private copy whose output is the layer's maps (N, C, rows, columns), whatever the layer's own layout.

    The graph starts at the layer: nothing before it needs a gradient, so the call costs little more than a forward pass. The rest of the
    network gets a clone, since it may overwrite what the layer returned (ResNet adds its short cut in place).
    """
    layer, probe = request.chosen_layer, nn.Identity()

    def through_probe(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        own = output.detach().requires_grad_(True)
        return layer.from_maps(probe(layer.to_maps(own)), own).clone()

    request.module.get_submodule(layer.name).register_forward_hook(through_probe)
    return probe


def run(request: Request) -> RawMap:
    """Evidence for the target at each place of the layer, (H, W): channel maps weighted by their mean gradient."""
    cam = LayerGradCam(lambda x: request.select(request.module(x)), _probe(request))
    with TURNS:
        raw = cam.attribute(request.x, relu_attributions=bool(request.params["relu"]))
    request.count(1)
    values = LayerAttribution.interpolate(raw, tuple(request.x.shape[-2:]), "bilinear")
    return RawMap(values[0, 0].detach())


def _refusal(classifier: Classifier) -> str | None:
    if classifier.recommended_layer is None:
        return f"{classifier.title} has no layer that still knows where things are in the picture."
    return None


METHODS.add(
    MethodSpec(
        name="grad_cam",
        title="Region map",
        technical="Grad-CAM",
        question="Which region made the model think of this class?",
        sentence="Bright regions are where the model's last picture-like layer found signs of this class.",
        caution="It is coarse: it shows a region, not the exact edge of an object.",
        family="activation",
        paper="Selvaraju et al. 2017, arXiv:1610.02391",
        run=run,
        cost=lambda params, side: 2,
        unit="weighted activation",
        gradient=True,
        uses_layer=True,
        refusal=_refusal,
        params=(
            Flag(
                name="relu",
                title="Only evidence for the class",
                help="On, as in the paper: places that speak against the class are left out. Off: they are shown as well.",
                default=True,
            ),
        ),
    )
)
