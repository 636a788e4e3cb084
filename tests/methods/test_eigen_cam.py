"""Eigen-CAM against power iteration, and its sign and its blindness to classes."""

from __future__ import annotations

import numpy as np
import pytest

import xai_core
from tests.toy_networks import LAYERS, SIDE, Conv, is_close, maps_and_gradients_by_hand, toy_model, upsample_to_picture
from tests.zoo_networks import make_picture


@pytest.mark.parametrize(("module", "layer"), LAYERS)
def test_it_is_the_first_principal_direction(module, layer):
    """By power iteration. Not pytorch-grad-cam: that centres the maps and leaves their sign to chance."""
    model, image = toy_model(module()), make_picture(SIDE)
    maps = maps_and_gradients_by_hand(model, image, layer, 2)[0]
    rows = maps.reshape(len(maps), -1)
    direction = np.ones(len(rows))
    for _ in range(5000):
        direction = rows @ (rows.T @ direction)
        direction /= np.linalg.norm(direction)
    cam = (direction @ rows).reshape(maps.shape[1:])
    attribution = xai_core.explain(model, image, "eigen_cam", 2, layer)
    assert is_close(attribution.values, upsample_to_picture(cam if cam.sum() > 0 else -cam), 1e-3)


def test_maps_without_negative_values_give_a_map_without_negative_values():
    values = xai_core.explain(toy_model(Conv()), make_picture(SIDE), "eigen_cam", 2, "last").values
    assert values.min() >= -1e-6 and values.max() > 0


def test_it_does_not_depend_on_the_class_and_says_so():
    model, image = toy_model(Conv()), make_picture(SIDE)
    first, second = (xai_core.explain(model, image, "eigen_cam", target, "last") for target in (1, 2))
    assert np.array_equal(first.values, second.values) and not xai_core.METHODS.get("eigen_cam").class_specific
