"""Integrated Gradients against closed forms, a fine even sum, and Captum."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

import xai_core
from tests.zoo_networks import half_size_model, make_classifier, make_picture, use_plain_torch, zoo_model

SIDE = 8


class Linear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3 * SIDE * SIDE, generator=torch.Generator().manual_seed(2)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1) @ self.weight.T


class Square(Linear):
    """Logit k is the sum of w · x²: its integrated gradient from black is w · x² itself, value by value."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x * x)


class Kink(nn.Module):
    """A step in slope at one place of the way: even grids converge slowly here."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = x.flatten(1).mean(1)
        return torch.stack([100 * (total - 0.337).relu(), total], dim=1)


def integrate(
    module: nn.Module, classes: int, target: int = 1, **params: object
) -> tuple[xai_core.Attribution, np.ndarray]:
    model, image = use_plain_torch(make_classifier(module, SIDE, classes=classes)), make_picture(SIDE)
    params = {"baseline": "black", **params}
    return xai_core.explain(model, image, "integrated_gradients", target, params=params), model.prepare(image)[
        0
    ].numpy()


def test_a_linear_network_gives_weight_times_difference():
    net = Linear()
    attribution, x = integrate(net, 4)
    assert np.allclose(attribution.values, net.weight[1].detach().numpy().reshape(x.shape) * x, atol=1e-5)
    assert attribution.details["completeness_gap"] < 1e-5 and attribution.details["steps"] <= 25


def test_a_square_gives_its_closed_form():
    net = Square()
    attribution, x = integrate(net, 4)
    assert np.allclose(attribution.values, net.weight[1].detach().numpy().reshape(x.shape) * x**2, atol=1e-4)


@pytest.mark.parametrize("baseline", ["black", "grey", "mean", "blur", "noise"])
def test_the_shares_add_up_to_the_change_of_the_score(baseline):
    net = Square()
    attribution, _ = integrate(net, 4, baseline=baseline)
    assert abs(
        float(attribution.values.astype(np.float64).sum()) - attribution.details["score_change"]
    ) <= 0.0101 * abs(attribution.details["score_change"])


def test_a_kink_is_found_and_refined():
    attribution, x = integrate(Kink(), 2, 0)
    true = 100 * (x.mean() - 0.337)
    assert true > 5
    assert abs(attribution.values.sum() - true) < 0.01 * true and attribution.details["steps"] < 64
    even = (
        np.linspace(0, 1, int(attribution.details["steps"])) * x.mean() > 0.337
        # The same number of points, evenly spread.
    )
    trapezoid = 100 * x.mean() * (even[1:].astype(float) + even[:-1]).mean() / 2 * 1.0
    assert abs(attribution.values.sum() - true) <= abs(trapezoid * 1.0 - true) + 1e-6


def test_it_agrees_with_a_fine_sum_of_captum_on_a_real_network():
    model, image = half_size_model("efficientnet_lite0"), xai_core.SAMPLES.get("coffee").load()
    attribution = xai_core.explain(model, image, "integrated_gradients", params={"baseline": "black"})
    x, black = model.prepare(image), model.preprocessing.to_tensor(np.zeros((model.side, model.side, 3), np.float32))
    fine = IntegratedGradients(model.module).attribute(
        x, black, attribution.target, n_steps=64, method="riemann_middle", internal_batch_size=8
    )
    ours, theirs = attribution.values, fine[0].detach().numpy()
    with torch.no_grad():
        logits = model.module(torch.cat([x, black]))[:, attribution.target]
    change = float(logits[0] - logits[1])
    assert attribution.values.shape == (3, model.side, model.side)
    assert abs(attribution.details["score_change"] - change) < 1e-3 * abs(change)
    assert abs(float(ours.astype(np.float64).sum()) - change) <= 0.011 * abs(change)
    assert attribution.details["steps"] <= 200, "even steps need about 257 here"
    # 64 even steps are not exact either.
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99


def test_the_limit_of_steps_is_kept_and_told():
    model, image = zoo_model("efficientnet_lite0"), xai_core.SAMPLES.get("chelsea").load()
    attribution = xai_core.explain(model, image, "integrated_gradients", params={"baseline": "black", "steps": 9})
    assert attribution.details["steps"] == 9 and attribution.evaluations == 10
    check = next(check for check in attribution.checks if check.name == "completeness")
    assert (
        check.level == "red"
        and check.value == pytest.approx(attribution.details["completeness_gap"])
        and check.value > 0.1
    )
