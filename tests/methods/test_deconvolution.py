"""Deconvolution against its rule written out, and against Captum where that is right."""

from __future__ import annotations

import numpy as np
import pytest
from captum.attr import Deconvolution
from torch import nn

import xai_core
from tests.toy_networks import CLASSES, SIDE, Conv, is_close, toy_model
from tests.zoo_networks import make_picture
from xai_core.models.isolation import isolate


class Layers(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Flatten(),
            nn.Linear(3 * SIDE * SIDE, 20),
            nn.ReLU(),
            nn.Linear(20, 20),
            nn.ReLU(),
            nn.Linear(20, CLASSES),
        )


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_is_the_rule_and_captums():
    model, image = toy_model(Layers()), make_picture(SIDE)
    _, first, _, second, _, third = model.module
    by_rule = ((third.weight[1].relu() @ second.weight).relu() @ first.weight).detach().numpy().reshape(3, SIDE, SIDE)
    attribution = xai_core.explain(model, image, "deconvolution", 1)
    theirs = Deconvolution(isolate(model.module)).attribute(model.prepare(image), target=1)[0].numpy()
    assert is_close(attribution.values, by_rule) and is_close(attribution.values, theirs)


def test_without_pooling_it_does_not_look_at_the_picture():
    """As its caution says: only the switches of max-pooling tie the signal to this picture."""
    model = toy_model(Layers())
    first, second = (xai_core.explain(model, make_picture(SIDE, seed), "deconvolution", 1).values for seed in (1, 2))
    assert np.array_equal(first, second)
    pooled = toy_model(Conv())
    first, second = (xai_core.explain(pooled, make_picture(SIDE, seed), "deconvolution", 1).values for seed in (1, 2))
    assert not is_close(first, second, 0.01)
