"""Gradient SHAP against closed forms, a slow version of the same draws, and its own standard error."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import xai_core
from tests.toy_networks import SIDE, Conv, Linear, Square, is_close, toy_model
from tests.zoo_networks import make_picture, use_plain_torch


def explain_by_shap(model, seed=0, **params) -> xai_core.Attribution:
    return xai_core.explain(
        model, make_picture(model.side), "gradient_shap", 2, params={"baselines": "noise", **params}, seed=seed
    )


def draw_noise(model, rng: np.random.Generator, count: int) -> torch.Tensor:
    return torch.cat(
        [model.preprocessing.to_tensor(rng.random((SIDE, SIDE, 3), dtype=np.float32)) for _ in range(count)]
    )


def test_a_linear_network_gives_weight_times_difference_to_the_mean():
    model = toy_model(Linear())
    x, pool = model.prepare(make_picture(SIDE))[0], draw_noise(model, np.random.default_rng(0), 4)
    attribution = explain_by_shap(model, count=4, samples=12)
    assert (
        is_close(attribution.values, model.module.row(2) * (x - pool.mean(0)).numpy())
        and attribution.details["completeness_gap"] < 1e-3
    )


@pytest.mark.parametrize("noise", [0, 20])
def test_it_is_the_slow_version(noise):
    model, rng = toy_model(Conv()), np.random.default_rng(6)
    x, pool = model.prepare(make_picture(SIDE)), draw_noise(model, rng, 3)
    numbers = rng.permutation(np.arange(10) % 3)
    positions = (np.arange(10) + rng.random(10)) / 10
    total, sums = torch.zeros(3, SIDE, SIDE), []
    for start, position in zip(numbers, positions, strict=True):
        end = x + noise / 100 * (x.max() - x.min()) * torch.from_numpy(rng.standard_normal(x.shape, dtype="float32"))
        point = (pool[start] + float(position) * (end - pool[start])).requires_grad_(True)
        (gradient,) = torch.autograd.grad(model.module(point)[0, 2], point)
        share = (gradient * (end - pool[start]))[0]
        total += share / 10
        sums.append(float(share.sum()))
    attribution = explain_by_shap(model, 6, count=3, samples=10, noise=noise)
    assert is_close(attribution.values, total.numpy())
    empty = model.module(pool)[:, 2].detach().numpy()[numbers].mean()
    change = float(model.module(x)[0, 2]) - empty
    assert attribution.details["score_change"] == pytest.approx(change, rel=1e-3)
    assert attribution.details["completeness_gap"] == pytest.approx(
        abs(sum(sums) / 10 - change) / abs(change), rel=1e-2
    )
    assert attribution.details["standard_error"] == pytest.approx(
        np.std(sums, ddof=1) / 10**0.5 / abs(change), rel=1e-2
    )


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_the_draws_do_not_depend_on_the_batch(batch):
    attribution = explain_by_shap(
        use_plain_torch(toy_model(Conv()), gradient_batch=batch), count=3, samples=10, noise=10
    )
    assert is_close(attribution.values, explain_by_shap(toy_model(Conv()), count=3, samples=10, noise=10).values, 1e-5)
    assert attribution.evaluations == 1 + 10 + 3


def test_a_square_comes_near_its_closed_form_and_more_draws_come_nearer():
    model = toy_model(Square())
    x, pool = model.prepare(make_picture(SIDE))[0], draw_noise(model, np.random.default_rng(0), 4)
    exact = model.module.row(2) * (x**2 - (pool**2).mean(0)).numpy()
    errors = []
    for samples in (16, 1600):
        attribution = explain_by_shap(model, count=4, samples=samples)
        errors.append(float(np.linalg.norm(attribution.values - exact) / np.linalg.norm(exact)))
        assert attribution.details["completeness_gap"] <= 4 * attribution.details["standard_error"]
    assert errors[1] < 0.2 * errors[0] and errors[1] < 0.02


def test_more_pictures_than_draws_are_not_asked_for():
    assert explain_by_shap(toy_model(Linear()), count=50, samples=5).evaluations == 1 + 5 + 5


def test_a_gap_is_told():
    attribution = explain_by_shap(toy_model(Conv()), count=3, samples=2)
    gap = abs(float(attribution.values.astype(np.float64).sum()) - attribution.details["score_change"]) / abs(
        attribution.details["score_change"]
    )
    check = next(check for check in attribution.checks if check.name == "completeness")
    assert gap > 0.05 and check.level != "green" and check.value == pytest.approx(gap, rel=1e-4)
