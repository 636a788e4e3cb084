"""Guided Grad-CAM is the product of its two parts, and Captum's where that is right."""

from __future__ import annotations

import numpy as np
import pytest
from captum.attr import GuidedGradCam
from torch import nn

import xai_core
from tests.toy_networks import SIDE, Conv, is_close, seed_weights, toy_model
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch
from xai_core.models.isolation import isolate


@pytest.mark.parametrize("layer", ["third", "last", "relu"])
def test_it_is_the_product_of_its_parts(layer):
    model, image = toy_model(Conv()), make_picture(SIDE)
    lines = xai_core.explain(model, image, "guided_backprop", 1)
    region = xai_core.explain(model, image, "grad_cam", 1, layer)
    attribution = xai_core.explain(model, image, "guided_grad_cam", 1, layer)
    assert is_close(attribution.values, lines.values * region.values) and (attribution.values < 0).any()
    assert (
        attribution.details["guided_difference"] == lines.details["guided_difference"]
        and attribution.details["grid_rows"] == SIDE // 2
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_is_captums():
    parts = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 6, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1536, 10),
    )
    model, image = use_plain_torch(make_classifier(seed_weights(parts), SIDE)), make_picture(SIDE)
    module = isolate(model.module)
    theirs = (
        GuidedGradCam(module, module[3])
        .attribute(model.prepare(image), target=1, interpolate_mode="bilinear")[0]
        .detach()
        .numpy()
    )
    assert np.ptp(theirs) > 0 and is_close(xai_core.explain(model, image, "guided_grad_cam", 1, "3").values, theirs)
