"""DeepLIFT as a method: closed forms, the sum on every architecture, and what is seen when a rule is missing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import xai_core
from tests.toy_networks import CLASSES, SIDE, Channels, Conv, Linear, Square, Tokens, is_close, toy_model
from tests.zoo_networks import half_size_model, make_picture, zoo_model
from xai_core import MODELS
from xai_core.images import BASELINES, make_baseline
from xai_core.rules import deep_lift

pytestmark = pytest.mark.long


class OneLayer(Linear):
    """Logits V relu(W x + b): by the rescale rule, each unit passes its change of output over its change of input."""

    def __init__(self) -> None:
        super().__init__()
        self.units, self.head = nn.Linear(3 * SIDE * SIDE, 20), nn.Linear(20, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.units(x.flatten(1)).relu())


def explain_by_lift(model, target=2, seed=0, **params) -> xai_core.Attribution:
    return xai_core.explain(model, make_picture(model.side), "deep_lift", target, params=params, seed=seed)


def prepare_ends(model, kind: str, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The prepared picture and its baseline."""
    steps = model.preprocessing
    pixels = steps.to_pixels(steps.model_input(make_picture(model.side)))
    return steps.to_tensor(pixels), steps.to_tensor(make_baseline(pixels, kind, np.random.default_rng(seed)))


@pytest.mark.parametrize("kind", BASELINES)
def test_a_linear_network_gives_weight_times_difference(kind):
    model = toy_model(Linear())
    x, baseline = prepare_ends(model, kind, 4)
    attribution = explain_by_lift(model, seed=4, baseline=kind)
    assert (
        is_close(attribution.values, model.module.row(2) * (x - baseline)[0].numpy())
        and attribution.details["completeness_gap"] < 1e-4
    )


def test_a_square_gives_its_closed_form():
    model = toy_model(Square())
    x, baseline = prepare_ends(model, "mean")
    assert is_close(
        explain_by_lift(model, baseline="mean").values, model.module.row(2) * (x**2 - baseline**2)[0].numpy()
    )


@pytest.mark.parametrize("target", [2, (2, 0)])
def test_one_layer_follows_the_rescale_rule(target):
    model = toy_model(OneLayer())
    x, baseline = prepare_ends(model, "blur")
    module = model.module
    with torch.no_grad():
        before, after = (module.units(picture.flatten(1))[0] for picture in (baseline, x))
        up = module.head.weight[2] if target == 2 else module.head.weight[2] - module.head.weight[0]
        through = up * (after.relu() - before.relu()) / (after - before)
        expected = (through @ module.units.weight).view(3, SIDE, SIDE) * (x - baseline)[0]
        score = module(x) - module(baseline)
    crossed = int(((after > 0) != (before > 0)).sum())
    assert crossed >= 2, "without units that open or close it would be the gradient"
    attribution = explain_by_lift(model, target)
    change = float(score[0, 2] if target == 2 else score[0, 2] - score[0, 0])
    assert is_close(attribution.values, expected.numpy()) and attribution.details["score_change"] == pytest.approx(
        change, rel=1e-4
    )


@pytest.mark.parametrize("make", [Conv, Channels, Tokens], ids=lambda make: make.__name__)
def test_the_shares_add_up_on_every_layout(make):
    attribution = explain_by_lift(toy_model(make()), baseline="grey", tolerance=0.01)
    total = float(attribution.values.astype(np.float64).sum())
    assert (
        total == pytest.approx(attribution.details["score_change"], rel=2e-4)
        and attribution.details["completeness_gap"] < 2e-4
    )
    assert attribution.evaluations == 3 and attribution.values.shape == (3, SIDE, SIDE)


def test_a_missing_rule_is_seen(monkeypatch):
    whole = explain_by_lift(zoo_model("mobilenet_v3_large"), target=5)
    monkeypatch.setattr(deep_lift, "_ELEMENTWISE", frozenset())
    broken = explain_by_lift(zoo_model("mobilenet_v3_large"), target=5)
    levels = [
        {check.name: check.level for check in attribution.checks}["completeness"] for attribution in (whole, broken)
    ]
    assert levels == ["green", "red"]


def test_too_few_points_are_told_and_more_are_taken():
    model = toy_model(Tokens())
    few, many = (explain_by_lift(model, baseline="noise", points=points, tolerance=0.01) for points in (1, 256))
    assert few.details["points"] == 1 and few.details["completeness_gap"] > 10 * many.details["completeness_gap"]
    assert many.details["points"] > 1 and many.details["completeness_gap"] < 2e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MODELS))
def test_the_shares_add_up_on_every_architecture(name):
    model = half_size_model(name)
    attribution = xai_core.explain(model, make_picture(), "deep_lift")
    check = next(check for check in attribution.checks if check.name == "completeness")
    assert attribution.details["completeness_gap"] <= 0.01 and check.level == "green" and np.ptp(attribution.values) > 0


def test_the_cup_is_found_on_the_real_model():
    model = xai_core.load_model("efficientnet_lite0")
    attribution = xai_core.explain(model, xai_core.SAMPLES.get("coffee").load(), "deep_lift")
    positive = np.clip(attribution.heatmap, 0, None)
    share, area = positive[:162, 30:186].sum() / positive.sum(), 162 * 156 / positive.size
    assert (
        attribution.label == "espresso"
        and share > 1.2 * area
        and attribution.level == "green"
        and attribution.details["completeness_gap"] < 1e-3
    )
