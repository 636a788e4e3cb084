"""LayerCAM against its formula, place by place, and pytorch-grad-cam."""

from __future__ import annotations

import numpy as np
import pytest
from pytorch_grad_cam import LayerCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

import xai_core
from tests.toy_networks import LAYERS, SIDE, Conv, is_close, maps_and_gradients_by_hand, toy_model, upsample_to_picture
from tests.zoo_networks import make_picture
from xai_core.models.isolation import isolate


@pytest.mark.parametrize(("module", "layer"), LAYERS)
def test_it_is_the_formula(module, layer):
    model, image = toy_model(module()), make_picture(SIDE)
    maps, gradients = maps_and_gradients_by_hand(model, image, layer, 2)
    cam = np.zeros(maps.shape[1:])
    for k, i, j in np.ndindex(maps.shape):
        cam[i, j] += max(gradients[k, i, j], 0) * maps[k, i, j]
    attribution = xai_core.explain(model, image, "layer_cam", 2, layer, {"relu": False})
    assert is_close(attribution.values, upsample_to_picture(cam))


def test_it_is_the_map_of_pytorch_grad_cam():
    model, image = toy_model(Conv()), make_picture(SIDE)
    module = isolate(model.module).requires_grad_(True)
    theirs = LayerCAM(module, [module.third])(model.prepare(image), [ClassifierOutputTarget(2)])[0]
    values = xai_core.explain(model, image, "layer_cam", 2, "third").values
    assert np.ptp(theirs) > 0.5 and np.corrcoef(values.ravel(), theirs.ravel())[0, 1] > 0.9999
