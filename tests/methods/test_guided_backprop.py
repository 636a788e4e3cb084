"""Guided backpropagation against a closed form, Captum where it is right, and the gradient where Captum is wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import GuidedBackprop
from torch import nn

import xai_core
from tests.toy_networks import CLASSES, SIDE, Channels, Conv, Linear, is_close, seed_weights, toy_model
from tests.zoo_networks import make_picture, zoo_model
from xai_core import NotApplicable
from xai_core.methods.base.structure import count_rectifiers
from xai_core.models.isolation import isolate


class Layers(nn.Sequential):
    """Only nn.ReLU modules, each used once: here Captum is right."""

    def __init__(self) -> None:
        wide = 3 * SIDE * SIDE
        super().__init__(
            nn.Flatten(), nn.Linear(wide, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, CLASSES)
        )


def backpropagate_by_hand(model, x: torch.Tensor, target: int) -> np.ndarray:
    """The rule written out for `Layers`: matrix products, cut twice at every rectifier."""
    _, first, _, second, _, third = model.module
    first_output = first(x.flatten(1))
    second_output = second(first_output.relu())
    back = third.weight[target] * (second_output[0] > 0)
    back = (back.relu() @ second.weight) * (first_output[0] > 0)
    return (back.relu() @ first.weight).detach().numpy().reshape(3, SIDE, SIDE)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_is_the_rule_and_captums():
    model, image = toy_model(Layers()), make_picture(SIDE)
    attribution = xai_core.explain(model, image, "guided_backprop", 1)
    theirs = GuidedBackprop(isolate(model.module)).attribute(model.prepare(image), target=1)[0].numpy()
    assert is_close(attribution.values, backpropagate_by_hand(model, model.prepare(image), 1)) and is_close(
        attribution.values, theirs
    )
    assert attribution.details["rectifiers"] == 2 and attribution.details["guided_difference"] > 0.1


def test_it_sees_functions_and_reused_modules():
    model, image = toy_model(Conv()), make_picture(SIDE)
    x = model.prepare(image).requires_grad_(True)
    (plain,) = torch.autograd.grad(model.module(x)[0, 2], x)
    attribution = xai_core.explain(model, image, "guided_backprop", 2)
    assert count_rectifiers(model) == attribution.details["rectifiers"] == 4
    difference = np.linalg.norm(attribution.values - plain[0].numpy()) / max(
        np.linalg.norm(attribution.values), float(plain.norm())
    )
    assert attribution.details["guided_difference"] == pytest.approx(difference, rel=1e-4) and difference > 0.1


@pytest.mark.parametrize(("name", "count"), [("efficientnet_lite0", 33), ("googlenet", 39), ("mobilenet_v3_large", 19)])
def test_it_differs_from_the_gradient_where_captum_gives_the_gradient(name, count):
    model = zoo_model(name)
    attribution = xai_core.explain(model, make_picture(), "guided_backprop", 7)
    assert attribution.details["guided_difference"] > 0.2 and attribution.details["rectifiers"] == count
    assert "guided_difference" not in {check.name for check in attribution.checks}


@pytest.mark.parametrize("method", ["guided_backprop", "deconvolution", "guided_grad_cam"])
def test_a_network_without_rectifiers_is_refused(method):
    with pytest.raises(NotApplicable, match="no rectifier"):
        xai_core.explain(toy_model(Channels()), make_picture(SIDE), method)


def test_a_rectifier_that_cuts_nothing_is_told():
    model = toy_model(Linear())
    model.module.forward = lambda x: (x + 1).relu().flatten(1) @ seed_weights(Linear()).weight.abs().T
    attribution = xai_core.explain(model, make_picture(SIDE), "guided_backprop", 1)
    assert attribution.details["guided_difference"] == 0 and attribution.level == "red"
    assert next(check for check in attribution.checks if check.level == "red").name == "guided_difference"
