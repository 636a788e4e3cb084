"""XGrad-CAM against its formula, the sum it promises, and pytorch-grad-cam."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_grad_cam import XGradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

import xai_core
from tests.toy_networks import LAYERS, SIDE, Conv, is_close, maps_and_gradients_by_hand, toy_model, upsample_to_picture
from tests.zoo_networks import make_picture
from xai_core.methods.xgrad_cam import weigh_channels
from xai_core.models.isolation import isolate


@pytest.mark.parametrize(("module", "layer"), LAYERS)
def test_it_is_the_formula_and_adds_up(module, layer):
    model, image = toy_model(module()), make_picture(SIDE)
    maps, gradients = maps_and_gradients_by_hand(model, image, layer, 2)
    cam = sum(float((g * a).sum() / a.sum()) * a if a.any() else 0 * a for a, g in zip(maps, gradients, strict=True))
    assert cam.sum() == pytest.approx((maps * gradients).sum(), rel=1e-6)
    attribution = xai_core.explain(model, image, "xgrad_cam", 2, layer, {"relu": False})
    assert is_close(attribution.values, upsample_to_picture(cam), 1e-3)


def test_a_channel_that_cancels_itself_has_no_weight():
    maps = torch.tensor([[[1.0, -1.0]], [[0.0, 0.0]], [[1.0, 3.0]]])
    gradients = torch.tensor([[[5.0, 1.0]], [[1.0, 1.0]], [[1.0, 3.0]]])
    assert weigh_channels(maps, gradients).flatten().tolist() == [0, 0, 2.5]


def test_it_is_the_map_of_pytorch_grad_cam():
    model, image = toy_model(Conv()), make_picture(SIDE)
    module = isolate(model.module).requires_grad_(True)
    theirs = XGradCAM(module, [module.second])(model.prepare(image), [ClassifierOutputTarget(1)])[0]
    values = xai_core.explain(model, image, "xgrad_cam", 1, "second").values
    assert np.ptp(theirs) > 0.5 and np.corrcoef(values.ravel(), theirs.ravel())[0, 1] > 0.9999
