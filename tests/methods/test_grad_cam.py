"""Grad-CAM against its formula written out with autograd, and against pytorch-grad-cam."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

import xai_core
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch, zoo_model
from xai_core import NotApplicable
from xai_core.models.isolation import isolate


def by_hand(model, image, layer_name: str, target: int, relu: bool = True) -> np.ndarray:
    """Selvaraju's formula: maps of the layer's last call, weighted by their mean gradient, summed, cut at 0, upsampled."""
    module, layer, kept = isolate(model.module), model.layer(layer_name), []

    def keep(_module, _inputs, out):
        kept.append(out)
        return out.clone()  # the network may overwrite what it gets, not what was kept

    module.get_submodule(layer_name).register_forward_hook(keep)
    score = module(model.prepare(image).requires_grad_(True))[0, target]
    (gradient,) = torch.autograd.grad(score, kept[-1])
    maps, slopes = layer.to_maps(kept[-1]), layer.to_maps(gradient)
    cam = (maps * slopes.mean((2, 3), keepdim=True)).sum(1, keepdim=True)
    cam = cam.relu() if relu else cam
    return F.interpolate(cam, (model.side, model.side), mode="bilinear", align_corners=False)[0, 0].detach().numpy()


CASES = [
    ("efficientnet_lite0", None),
    ("efficientnet_lite0", "_blocks.5._project_conv"),
    ("efficientnet_lite0", "_blocks.10._swish"),  # called twice: the last call counts
    ("small_cnn", None),
    ("resnet18", None),
    ("resnet18", "layer4.1.bn2"),  # overwritten in place by the addition that follows
    ("resnet18", "layer3"),
    ("densenet121", None),  # overwritten by a functional in-place ReLU
    ("googlenet", None),
    ("vit_b_16", None),
    ("swin_t", None),
    ("convnext_tiny", None),
]


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize(("name", "layer"), CASES)
def test_it_is_the_formula(name, layer, relu):
    model, image = zoo_model(name), make_picture()
    chosen = layer or model.recommended_layer.name
    found = xai_core.explain(model, image, "grad_cam", 7, layer, {"relu": relu})
    expected = by_hand(model, image, chosen, 7, relu)
    assert found.layer == chosen and (relu or np.ptp(expected) > 0)  # nothing may speak for class 7
    assert np.abs(found.values - expected).max() <= 1e-4 * np.abs(expected).max()
    assert found.values.min() >= 0 or not relu


@pytest.mark.parametrize(("name", "layer"), [("efficientnet_lite0", "_blocks.15._bn2"), ("resnet18", "layer4")])
def test_it_is_the_map_of_pytorch_grad_cam(name, layer):
    model, image = zoo_model(name), make_picture()
    found = xai_core.explain(model, image, "grad_cam", 7, layer).values
    module = isolate(model.module).requires_grad_(True)
    theirs = GradCAM(module, [module.get_submodule(layer)])(model.prepare(image), [ClassifierOutputTarget(7)])[0]
    ours = found - found.min()  # theirs is stretched to 0..1
    assert np.ptp(theirs) > 0.5
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999


class Planted(nn.Module):
    """Class 0 counts red, class 1 green, class 2 blue, on a grid of 4 x 4 pixels each."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.Conv2d(3, 3, 4, 4, groups=3, bias=False)
        nn.init.constant_(self.pool.weight, 1 / 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pool(x).mean((2, 3))


def test_it_finds_the_planted_colour_exactly():
    model = use_plain_torch(make_classifier(Planted(), 16, classes=3))
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[4:8, 8:12, 1] = 255
    image = xai_core.images.Image.fromarray(pixels)
    raw = np.zeros((1, 1, 4, 4), np.float32)
    raw[0, 0, 1, 2] = 1 / 16  # the mean gradient of a map of 16 places is 1/16
    expected = F.interpolate(torch.from_numpy(raw), (16, 16), mode="bilinear", align_corners=False)[0, 0].numpy()
    assert np.allclose(xai_core.explain(model, image, "grad_cam", "class 1", "pool").values, expected, atol=1e-7)
    for other in (0, 2):
        empty = xai_core.explain(model, image, "grad_cam", other, "pool")
        assert not empty.values.any() and [check.name for check in empty.checks if check.level != "green"] == ["flat"]


def test_a_network_without_a_picture_like_layer_is_refused():
    model = use_plain_torch(make_classifier(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 5)), 8, classes=5))
    with pytest.raises(NotApplicable, match="no layer"):
        xai_core.explain(model, make_picture(8), "grad_cam")
