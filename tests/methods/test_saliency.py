"""Saliency against closed forms and Captum."""

from __future__ import annotations

import numpy as np
import pytest
from captum.attr import Saliency

import xai_core
from tests.toy_networks import SIDE, Conv, Linear, is_close, toy_model
from tests.zoo_networks import make_picture
from xai_core.models.isolation import isolate


def test_a_linear_network_gives_its_weights():
    model = toy_model(Linear())
    row = model.module.row(3)
    for channels, expected in (("max", np.abs(row).max(0)), ("mean", np.abs(row).mean(0))):
        assert is_close(
            xai_core.explain(model, make_picture(SIDE), "saliency", 3, params={"channels": channels}).values, expected
        )


def test_the_direction_is_that_of_the_strongest_channel_or_of_the_mean():
    model = toy_model(Linear())
    row = model.module.row(3)
    strongest = np.take_along_axis(row, np.abs(row).argmax(0)[None], 0)[0]
    assert (strongest < 0).any() and (strongest > 0).any()
    for channels, expected in (("max", strongest), ("mean", row.mean(0))):
        attribution = xai_core.explain(
            model, make_picture(SIDE), "saliency", 3, params={"channels": channels, "signed": True}
        )
        assert is_close(attribution.values, expected)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_is_captums():
    model, image = toy_model(Conv()), make_picture(SIDE)
    theirs = Saliency(isolate(model.module)).attribute(model.prepare(image), target=2)[0].amax(0).numpy()
    assert is_close(xai_core.explain(model, image, "saliency", 2).values, theirs)


def test_a_pair_is_explained_by_its_difference():
    model = toy_model(Linear())
    expected = np.abs(model.module.row(1) - model.module.row(4)).max(0)
    assert is_close(xai_core.explain(model, make_picture(SIDE), "saliency", (1, 4)).values, expected)
