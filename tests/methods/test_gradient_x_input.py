"""Gradient times input against closed forms, Captum, and the score itself on a network without biases."""

from __future__ import annotations

import numpy as np
import pytest
from captum.attr import InputXGradient

import xai_core
from tests.toy_networks import SIDE, Conv, Square, is_close, toy_model
from tests.zoo_networks import make_picture
from xai_core.models.isolation import isolate


def test_both_forms_of_a_square():
    model, image = toy_model(Square()), make_picture(SIDE)
    x = model.prepare(image)[0].numpy()
    gradient = 2 * model.module.row(2) * x
    plain, squared = (
        xai_core.explain(model, image, "gradient_x_input", 2, params={"form": form}) for form in ("plain", "squared")
    )
    assert is_close(plain.values, x * gradient) and is_close(squared.values, x * gradient**2)
    assert plain.unit == "logit" and squared.unit != plain.unit


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_is_captums():
    model, image = toy_model(Conv()), make_picture(SIDE)
    theirs = InputXGradient(isolate(model.module)).attribute(model.prepare(image), target=2)[0].detach().numpy()
    assert is_close(xai_core.explain(model, image, "gradient_x_input", 2).values, theirs)


def test_without_biases_it_adds_up_to_the_score():
    model, image = toy_model(Conv(bias=False)), make_picture(SIDE)
    # A ceiling would be a bias.
    model.module.last.max_val = 1e9
    score = float(model.module(model.prepare(image))[0, 2])
    total = xai_core.explain(model, image, "gradient_x_input", 2).values.astype(np.float64).sum()
    assert abs(score) > 0.01 and abs(total - score) <= 1e-4 * abs(score)
