"""Grad-CAM against its formula written out with autograd, and against pytorch-grad-cam."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

import xai_core
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch, zoo_model
from xai_core import NotApplicable
from xai_core.models.isolation import isolate


def compute_by_hand(model, image, layer_name: str, target: int, relu: bool = True) -> np.ndarray:
    """Sum maps of the layer's last call, weighted by their mean gradient, cut at 0 and upsample (Selvaraju)."""
    module, layer, outputs = isolate(model.module), model.layer(layer_name), []

    def record(_module, _inputs, out):
        outputs.append(out)
        # The network may overwrite what it gets, not what was kept.
        return out.clone()

    module.get_submodule(layer_name).register_forward_hook(record)
    score = module(model.prepare(image).requires_grad_(True))[0, target]
    (gradient,) = torch.autograd.grad(score, outputs[-1])
    maps, gradients = layer.to_maps(outputs[-1]), layer.to_maps(gradient)
    cam = (maps * gradients.mean((2, 3), keepdim=True)).sum(1, keepdim=True)
    cam = cam.relu() if relu else cam
    return F.interpolate(cam, (model.side, model.side), mode="bilinear", align_corners=False)[0, 0].detach().numpy()


CASES = [
    ("efficientnet_lite0", None),
    ("efficientnet_lite0", "_blocks.5._project_conv"),
    # Called twice: the last call counts.
    ("efficientnet_lite0", "_blocks.10._swish"),
    ("small_cnn", None),
    ("resnet18", None),
    # Overwritten in place by the addition that follows.
    ("resnet18", "layer4.1.bn2"),
    ("resnet18", "layer3"),
    # Overwritten by a functional in-place ReLU.
    ("densenet121", None),
    ("googlenet", None),
    ("vit_b_16", None),
    ("swin_t", None),
    ("convnext_tiny", None),
]


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize(("name", "layer"), CASES)
def test_it_is_the_formula(name, layer, relu):
    model, image = zoo_model(name), make_picture()
    layer_name = layer or model.recommended_layer.name
    attribution = xai_core.explain(model, image, "grad_cam", 7, layer, {"relu": relu})
    expected = compute_by_hand(model, image, layer_name, 7, relu)
    # Nothing may speak for class 7.
    assert attribution.layer == layer_name and (relu or np.ptp(expected) > 0)
    assert np.abs(attribution.values - expected).max() <= 1e-4 * np.abs(expected).max()
    assert attribution.values.min() >= 0 or not relu


@pytest.mark.parametrize(("name", "layer"), [("efficientnet_lite0", "_blocks.15._bn2"), ("resnet18", "layer4")])
def test_it_is_the_map_of_pytorch_grad_cam(name, layer):
    model, image = zoo_model(name), make_picture()
    values = xai_core.explain(model, image, "grad_cam", 7, layer).values
    module = isolate(model.module).requires_grad_(True)
    theirs = GradCAM(module, [module.get_submodule(layer)])(model.prepare(image), [ClassifierOutputTarget(7)])[0]
    # Theirs is stretched to 0..1.
    ours = values - values.min()
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
    image = Image.fromarray(pixels)
    raw = np.zeros((1, 1, 4, 4), np.float32)
    # The mean gradient of a map of 16 places is 1/16.
    raw[0, 0, 1, 2] = 1 / 16
    expected = F.interpolate(torch.from_numpy(raw), (16, 16), mode="bilinear", align_corners=False)[0, 0].numpy()
    assert np.allclose(xai_core.explain(model, image, "grad_cam", "class 1", "pool").values, expected, atol=1e-7)
    for target in (0, 2):
        empty = xai_core.explain(model, image, "grad_cam", target, "pool")
        assert not empty.values.any() and [check.name for check in empty.checks if check.level != "green"] == ["flat"]


def test_a_network_without_a_picture_like_layer_is_refused():
    model = use_plain_torch(make_classifier(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 5)), 8, classes=5))
    with pytest.raises(NotApplicable, match="no layer"):
        xai_core.explain(model, make_picture(8), "grad_cam")
