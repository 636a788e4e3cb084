"""Layer-wise relevance: the score on the pixels is the score of the network, on every network it is offered for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import xai_core
from tests.toy_networks import CLASSES, SIDE, Channels, Conv, Linear, Tokens, is_close, toy_model
from tests.zoo_networks import half_size_model, make_picture, zoo_model
from xai_core import METHODS, MODELS, NotApplicable

pytestmark = pytest.mark.long

RULES = METHODS.get("lrp").params[0].options
HEAVY = {
    "vgg16",
    "densenet121",
    "convnext_tiny",
    "vit_b_16",
    "swin_t",
    "resnet50",
    "efficientnet_lite1",
    "efficientnet_lite2",
}


def is_conserved(attribution: xai_core.Attribution, score: float, tolerance: float = 1e-3) -> bool:
    return abs(score) > 1e-6 and abs(float(attribution.values.astype(np.float64).sum()) - score) <= tolerance * abs(
        score
    )


def compute_score(model, image, *target: int) -> float:
    with torch.no_grad():
        logits = model.module(model.prepare(image))[0]
    return float(logits[target[0]] - (logits[target[1]] if len(target) == 2 else 0))


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in HEAVY)) for name in MODELS])
def test_the_sum_is_the_score_on_every_model(name):
    model, image = half_size_model(name), make_picture()
    assert METHODS.get("lrp").refusal(model) is None
    top = int(model.module(model.prepare(image))[0].argmax())
    attribution = xai_core.explain(model, image, "lrp", top)
    assert is_conserved(attribution, compute_score(model, image, top)) and attribution.values.shape[1:] == (
        model.side,
        model.side,
    )
    assert next(check for check in attribution.checks if check.name == "completeness").level == "green"


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["efficientnet_lite0", "small_cnn"])
def test_every_rule_keeps_the_score_of_either_sign_and_of_a_pair(name, rule):
    model, image = half_size_model(name), make_picture(seed=2)
    logits = model.module(model.prepare(image))[0]
    top, bottom = int(logits.argmax()), int(logits.argmin())
    assert logits[top] > 0 > logits[bottom]
    for target in ((top,), (bottom,), (bottom, top)):
        attribution = xai_core.explain(
            model, image, "lrp", target if len(target) == 2 else target[0], params={"rule": rule}
        )
        assert (
            is_conserved(attribution, compute_score(model, image, *target))
            and attribution.details["conservation_gap"] <= 1e-3
        )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("module", [Conv, Channels, Tokens], ids=lambda module: module.__name__)
def test_biases_keep_nothing(module, rule):
    model, image = toy_model(module()), make_picture(SIDE)
    assert any(weight.ndim == 1 and weight.abs().max() > 0.3 for weight in model.module.parameters())
    assert is_conserved(xai_core.explain(model, image, "lrp", 2, params={"rule": rule}), compute_score(model, image, 2))


def test_of_a_linear_model_it_is_weight_times_input():
    model, image = toy_model(Linear()), make_picture(SIDE)
    attribution = xai_core.explain(model, image, "lrp", 3, params={"rule": "epsilon", "epsilon": 0})
    assert is_close(attribution.values, model.prepare(image)[0].numpy() * model.module.row(3))


def test_the_rules_differ():
    model, image = zoo_model("small_cnn"), make_picture(seed=2)
    maps = [xai_core.explain(model, image, "lrp", 3, params={"rule": rule}).values for rule in RULES]
    assert len(maps) == 5 and all(
        not is_close(values, earlier, 0.05) for n, values in enumerate(maps) for earlier in maps[:n]
    )


class Cumulative(nn.Module):
    """A step nobody has a rule for."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, CLASSES)

    def forward(self, x):
        return self.head(x.cumsum(2).mean((2, 3)))


class Gated(Cumulative):
    """Nothing but a gate leads to the scores."""

    def forward(self, x):
        return self.head(x.mean((2, 3))).softmax(1)


@pytest.mark.parametrize(("module", "word"), [(Cumulative, "cumsum"), (Gated, "gate")])
def test_a_network_that_cannot_be_followed_is_refused_by_the_step(module, word):
    with pytest.raises(NotApplicable, match=word):
        xai_core.explain(toy_model(module()), make_picture(SIDE), "lrp")
