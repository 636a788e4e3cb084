"""Excitation backprop against zennit, a walk counted by hand, and the promise that probabilities add up to 1."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import resnet18
from zennit.composites import ExcitationBackprop
from zennit.core import BasicHook, ParamMod
from zennit.layer import Sum
from zennit.torchvision import ResNetCanonizer

import xai_core
from tests.toy_networks import CLASSES, SIDE, Channels, Tokens, is_close, toy_model
from tests.zoo_networks import make_classifier, make_picture, use_plain_torch, zoo_model
from xai_core import METHODS, NotApplicable


class Layers(nn.Sequential):
    def __init__(self) -> None:
        wide = 3 * SIDE * SIDE
        super().__init__(nn.Flatten(), nn.Linear(wide, 20, bias=False), nn.ReLU(), nn.Linear(20, CLASSES, bias=False))


def compute_walk(model, x: torch.Tensor, target: int, opposite: bool = False) -> np.ndarray:
    """The chances of the walk written out for `Layers`; the opposite class has all its weights reversed."""
    _, first, _, second = model.module
    pixels = x.flatten().double().numpy()
    first_weight, second_weight = (layer.weight.detach().double().numpy() for layer in (first, second))
    hidden = np.maximum(first_weight @ pixels, 0)
    chance = (hidden * (-second_weight[target] if opposite else second_weight[target])).clip(min=0)
    chance /= chance.sum()
    steps = (first_weight * pixels).clip(min=0)
    return (chance @ (steps / steps.sum(1, keepdims=True))).reshape(3, SIDE, SIDE)


def test_it_is_the_walk_by_hand():
    model, image = toy_model(Layers()), make_picture(SIDE)
    x = model.prepare(image)
    plain = xai_core.explain(model, image, "excitation_backprop", 2)
    contrast = xai_core.explain(model, image, "excitation_backprop", 2, params={"contrastive": True})
    assert is_close(plain.values, compute_walk(model, x, 2)) and plain.values.sum() == pytest.approx(1, abs=1e-5)
    assert is_close(contrast.values, compute_walk(model, x, 2) - compute_walk(model, x, 2, opposite=True))
    assert plain.values.min() >= 0 > contrast.values.min() and abs(contrast.values.sum()) <= 1e-5


class Positive(BasicHook):
    """Rule for sums that steps to positive summands only, as in the paper; zennit's own takes negative ones too."""

    def __init__(self) -> None:
        super().__init__(
            input_modifiers=[lambda x: x.clamp(min=0)],
            param_modifiers=[ParamMod(lambda parameter, _: parameter, param_keys=[])],
            gradient_mapper=lambda gradient, outs: [gradient / (outs[0] + 1e-12)],
            reducer=lambda inputs, gradients: inputs[0] * gradients[0],
        )


def test_it_is_zennit_on_a_residual_network():
    def make() -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(3)
            return resnet18(num_classes=10).eval()

    model, image = use_plain_torch(make_classifier(make(), 64)), make_picture(64)
    x = model.prepare(image).double().requires_grad_(True)
    rules = ExcitationBackprop(
        stabilizer=1e-12, layer_map=[((Sum,), Positive())], zero_params=["bias"], canonizers=[ResNetCanonizer()]
    )
    with rules.context(make().double()) as changed:
        (expected,) = torch.autograd.grad(changed(x), x, torch.eye(10)[None, 1].double())
    attribution = xai_core.explain(model, image, "excitation_backprop", 1)
    assert float(expected.sum()) == pytest.approx(1, abs=1e-3) and is_close(attribution.values, expected[0].numpy())


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18", "googlenet", "small_cnn"])
def test_chances_add_up_to_one(name):
    attribution = xai_core.explain(zoo_model(name), make_picture(), "excitation_backprop", 7)
    assert attribution.values.min() >= -1e-7 and attribution.values.sum(dtype=np.float64) == pytest.approx(1, abs=1e-4)
    assert attribution.details["probability_sum"] == pytest.approx(1, abs=1e-4)


def test_a_pair_is_the_difference_of_two_walks():
    model, image = zoo_model("small_cnn"), make_picture()
    first, second, pair = (
        xai_core.explain(model, image, "excitation_backprop", target).values for target in (3, 5, (3, 5))
    )
    assert is_close(pair, first - second)


@pytest.mark.parametrize(("name", "word"), [("mobilenet_v3_large", "hardswish"), ("efficientnet_b0", "silu")])
def test_activations_that_may_be_negative_are_refused(name, word):
    with pytest.raises(NotApplicable, match=word):
        xai_core.explain(zoo_model(name), make_picture(), "excitation_backprop")


@pytest.mark.parametrize("module", [Channels, Tokens])
def test_so_are_layer_norms_and_smooth_activations_of_toys(module):
    assert "negative" in METHODS.get("excitation_backprop").refusal(toy_model(module()))
