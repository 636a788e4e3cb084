"""Grad-CAM++ against its formula with true higher derivatives of exp(score), in loops, and pytorch-grad-cam."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAMPlusPlus
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
    for a, g in zip(maps, gradients, strict=True):
        weight = 0.0
        for place in np.ndindex(g.shape):
            if g[place] > 0:
                weight += g[place] ** 2 / (2 * g[place] ** 2 + a.sum() * g[place] ** 3) * g[place]
        cam += weight * a
    attribution = xai_core.explain(model, image, "grad_cam_plus_plus", 2, layer, {"relu": False})
    assert is_close(attribution.values, upsample_to_picture(cam))


def test_the_powers_of_the_gradient_are_the_derivatives_of_the_exponential():
    """Behind the last rectifier `Conv` is linear, where the paper's shortcut is exact."""
    model, image = toy_model(Conv()), make_picture(SIDE)
    maps = torch.from_numpy(maps_and_gradients_by_hand(model, image, "last", 2)[0])
    head = isolate(model.module).double().head

    def derivatives(k: int, i: int, j: int) -> tuple[float, float, float]:
        value = maps[k, i, j].clone().requires_grad_(True)
        changed = maps.index_put((torch.tensor(k), torch.tensor(i), torch.tensor(j)), value)
        derivative, order = head(changed.mean((1, 2)))[2].exp(), []
        for _ in range(3):
            (derivative,) = torch.autograd.grad(derivative, value, create_graph=True)
            order.append(float(derivative.detach()))
        return tuple(order)

    cam = np.zeros(maps.shape[1:])
    for k, a in enumerate(maps.numpy()):
        # The same at every place of a mean.
        first, second, third = derivatives(k, 1, 2)
        alpha = second / (2 * second + a.sum() * third)
        cam += a.size * alpha * max(first, 0) * a
    values = xai_core.explain(model, image, "grad_cam_plus_plus", 2, "last", {"relu": False}).values
    scale = float(
        np.abs(upsample_to_picture(cam)).max() / np.abs(values).max()
        # The exponential of the score, the same factor everywhere.
    )
    assert is_close(values * scale, upsample_to_picture(cam))


def test_it_is_the_map_of_pytorch_grad_cam():
    """Theirs adds 1e-6 to the denominator, so gradients must be large against that; and it is stretched to 0..1."""
    model, image = toy_model(Conv()), make_picture(SIDE)
    model.module.head.weight.mul_(50)
    module = isolate(model.module).requires_grad_(True)
    theirs = GradCAMPlusPlus(module, [module.last])(model.prepare(image), [ClassifierOutputTarget(2)])[0]
    values = xai_core.explain(model, image, "grad_cam_plus_plus", 2, "last").values
    assert np.ptp(theirs) > 0.5 and np.corrcoef(values.ravel(), theirs.ravel())[0, 1] > 0.9999
