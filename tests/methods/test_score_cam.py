"""Score-CAM against a slow version that tries one window at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_grad_cam import ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

import xai_core
from tests.toy_networks import LAYERS, SIDE, Conv, is_close, maps_and_gradients_by_hand, toy_model, upsample_to_picture
from tests.zoo_networks import make_picture
from xai_core.models.isolation import isolate


def compute_slowly(model, image, layer: str, target: int, channels: list[int] | None = None) -> np.ndarray:
    maps = maps_and_gradients_by_hand(model, image, layer, target)[0]
    module, x = isolate(model.module), model.prepare(image)
    tried = [k for k in channels or range(len(maps)) if np.ptp(maps[k]) > 0]
    scores = []
    for k in tried:
        window = upsample_to_picture(maps[k]).astype(np.float32)
        window = (window - window.min()) / (window.max() - window.min())
        scores.append(float(module(x * torch.from_numpy(window))[0, target]))
    weights = np.exp(scores) / np.exp(scores).sum()
    return sum(weight * maps[k] for weight, k in zip(weights, tried, strict=True))


@pytest.mark.parametrize(("module", "layer"), LAYERS)
def test_it_is_the_slow_version(module, layer):
    model, image = toy_model(module()), make_picture(SIDE)
    attribution = xai_core.explain(model, image, "score_cam", 2, layer, {"relu": False})
    assert is_close(attribution.values, upsample_to_picture(compute_slowly(model, image, layer, 2)))
    assert attribution.evaluations == 2 + attribution.details["channels"]


def test_fewer_maps_are_those_that_vary_most():
    model, image = toy_model(Conv()), make_picture(SIDE)
    spread = maps_and_gradients_by_hand(model, image, "third", 2)[0].std((1, 2))
    best = sorted(np.argsort(-spread)[:3].tolist())
    attribution = xai_core.explain(model, image, "score_cam", 2, "third", {"relu": False, "channels": 3})
    assert attribution.details["channels"] == 3 and is_close(
        attribution.values, upsample_to_picture(compute_slowly(model, image, "third", 2, best))
    )


def test_it_is_nearly_the_map_of_pytorch_grad_cam():
    """Theirs stretches the windows from corner to corner (align_corners), so it cannot be exact."""
    model, image = toy_model(Conv()), make_picture(SIDE)
    module = isolate(model.module)
    theirs = ScoreCAM(module, [module.last])(model.prepare(image), [ClassifierOutputTarget(2)])[0]
    values = xai_core.explain(model, image, "score_cam", 2, "last").values
    assert np.ptp(theirs) > 0.5 and np.corrcoef(values.ravel(), theirs.ravel())[0, 1] > 0.99


class Flat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 1), nn.Linear(4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(x * 0).mean((2, 3)))


def test_a_layer_without_a_varying_map_gives_an_empty_map():
    attribution = xai_core.explain(toy_model(Flat()), make_picture(SIDE), "score_cam", 2, "conv")
    assert not attribution.values.any() and ("flat", "amber") in {
        (check.name, check.level) for check in attribution.checks
    }
