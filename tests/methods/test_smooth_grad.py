"""SmoothGrad against closed forms, a slow version, and its own parts without noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import xai_core
from tests.toy_networks import SIDE, Conv, Linear, Square, is_close, toy_model
from tests.zoo_networks import make_picture, use_plain_torch


def explain_smoothly(model, image, seed=0, **params) -> xai_core.Attribution:
    return xai_core.explain(model, image, "smooth_grad", 2, params=params, seed=seed)


def draw_noisy_copies(model, image, seed: int, samples: int, noise: float) -> torch.Tensor:
    """The noisy pictures, drawn one by one."""
    rng, x = np.random.default_rng(seed), model.prepare(image)
    deviation = noise / 100 * float(x.max() - x.min())
    return torch.cat(
        [x + deviation * torch.from_numpy(rng.standard_normal(x.shape, dtype="float32")) for _ in range(samples)]
    )


def compute_gradient(model, x: torch.Tensor) -> torch.Tensor:
    x = x.clone().requires_grad_(True)
    return torch.autograd.grad(model.module(x[None])[0, 2], x)[0]


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("base_map", ["saliency", "gradient_x_input", "integrated_gradients"])
def test_it_is_the_slow_version(base_map, squared):
    model, image = toy_model(Conv()), make_picture(SIDE)
    attribution = explain_smoothly(
        model, image, 4, of=base_map, squared=squared, samples=5, noise=20, steps=3, baseline="black"
    )
    maps = []
    for copy in draw_noisy_copies(model, image, 4, 5, 20):
        # Black is 0 in a toy.
        if base_map == "integrated_gradients":
            values = copy * sum(compute_gradient(model, copy * place) for place in (1 / 6, 3 / 6, 5 / 6)) / 3
        else:
            values = compute_gradient(model, copy) * (copy if base_map == "gradient_x_input" else 1)
        maps.append(values**2 if squared else values)
    mean = torch.stack(maps).double().mean(0).numpy()
    assert is_close(attribution.values, np.abs(mean).max(0) if base_map == "saliency" else mean)
    assert attribution.unit.startswith("squared") == squared
    assert not is_close(
        attribution.values,
        explain_smoothly(
            model, image, 5, of=base_map, squared=squared, samples=5, noise=20, steps=3, baseline="black"
        ).values,
    )


def test_noise_does_not_matter_to_a_linear_network():
    model = toy_model(Linear())
    assert is_close(
        explain_smoothly(model, make_picture(SIDE), samples=7, noise=50).values, np.abs(model.module.row(2)).max(0)
    )


def test_a_square_gives_the_gradient_at_the_mean_copy():
    model, image = toy_model(Square()), make_picture(SIDE)
    mean = draw_noisy_copies(model, image, 0, 9, 30).double().mean(0).numpy()
    assert is_close(
        explain_smoothly(model, image, samples=9, noise=30).values, np.abs(2 * model.module.row(2) * mean).max(0)
    )


@pytest.mark.parametrize("base_map", ["saliency", "gradient_x_input"])
def test_without_noise_it_is_the_map_itself(base_map):
    model, image = toy_model(Conv()), make_picture(SIDE)
    assert is_close(
        explain_smoothly(model, image, of=base_map, noise=0, samples=3).values,
        xai_core.explain(model, image, base_map, 2).values,
    )


def test_shares_of_a_square_add_up_and_say_so():
    # Midpoints are exact here.
    attribution = explain_smoothly(
        toy_model(Square()), make_picture(SIDE), of="integrated_gradients", samples=4, steps=5
    )
    assert attribution.details["completeness_gap"] < 1e-4 and "completeness" in {
        check.name for check in attribution.checks
    }
    assert attribution.values.astype(np.float64).sum() == pytest.approx(attribution.details["score_change"], rel=1e-4)
    # The copies, and once the empty picture.
    assert attribution.evaluations == 1 + 4 * (5 + 1) + 1


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_the_noise_does_not_depend_on_the_batch(batch):
    image = make_picture(SIDE)
    usual, batched = toy_model(Conv()), use_plain_torch(toy_model(Conv()), gradient_batch=batch)
    assert is_close(
        explain_smoothly(usual, image, samples=7).values, explain_smoothly(batched, image, samples=7).values, 1e-5
    )
