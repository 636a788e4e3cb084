"""The squared gradient against closed forms: its values, and their sum."""

from __future__ import annotations

import numpy as np
import torch

import xai_core
from tests.toy_networks import SIDE, Conv, Square, is_close, toy_model
from tests.zoo_networks import make_picture


def test_a_square_gives_its_closed_form():
    model, image = toy_model(Square()), make_picture(SIDE)
    gradient = 2 * model.module.row(2) * model.prepare(image)[0].numpy()
    assert is_close(xai_core.explain(model, image, "gradient_sensitivity", 2).values, gradient**2)


def test_it_adds_up_to_how_fast_the_score_can_change():
    model, image = toy_model(Conv()), make_picture(SIDE)
    attribution = xai_core.explain(model, image, "gradient_sensitivity", 2)
    step, x = 1e-6, model.prepare(image).double().requires_grad_(True)
    module = model.module.double()
    (gradient,) = torch.autograd.grad(module(x)[0, 2], x)
    # A step along the gradient changes the score by step times its squared length.
    with torch.no_grad():
        change = float(module(x + step * gradient)[0, 2] - module(x)[0, 2]) / step
    assert change > 0 and abs(float(attribution.values.astype(np.float64).sum()) - change) <= 1e-3 * change
