"""SmoothGrad against closed forms, a slow version, and its own parts without noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import xai_core
from tests.toy_networks import SIDE, Conv, Linear, Square, is_close, toy_model
from tests.zoo_networks import make_picture, use_plain_torch


def smooth(model, image, seed=0, **params) -> xai_core.Attribution:
    return xai_core.explain(model, image, "smooth_grad", 2, params=params, seed=seed)


def copies_of(model, image, seed: int, samples: int, noise: float) -> torch.Tensor:
    """The noisy pictures, drawn one by one."""
    rng, x = np.random.default_rng(seed), model.prepare(image)
    deviation = noise / 100 * float(x.max() - x.min())
    return torch.cat(
        [x + deviation * torch.from_numpy(rng.standard_normal(x.shape, dtype="float32")) for _ in range(samples)]
    )


def gradient_of(model, x: torch.Tensor) -> torch.Tensor:
    x = x.clone().requires_grad_(True)
    return torch.autograd.grad(model.module(x[None])[0, 2], x)[0]


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("of", ["saliency", "gradient_x_input", "integrated_gradients"])
def test_it_is_the_slow_version(of, squared):
    model, image = toy_model(Conv()), make_picture(SIDE)
    found = smooth(model, image, 4, of=of, squared=squared, samples=5, noise=20, steps=3, baseline="black")
    maps = []
    for copy in copies_of(model, image, 4, 5, 20):
        if of == "integrated_gradients":  # black is 0 in a toy
            each = copy * sum(gradient_of(model, copy * place) for place in (1 / 6, 3 / 6, 5 / 6)) / 3
        else:
            each = gradient_of(model, copy) * (copy if of == "gradient_x_input" else 1)
        maps.append(each**2 if squared else each)
    mean = torch.stack(maps).double().mean(0).numpy()
    assert is_close(found.values, np.abs(mean).max(0) if of == "saliency" else mean)
    assert found.unit.startswith("squared") == squared
    assert not is_close(
        found.values,
        smooth(model, image, 5, of=of, squared=squared, samples=5, noise=20, steps=3, baseline="black").values,
    )


def test_noise_does_not_matter_to_a_linear_network():
    model = toy_model(Linear())
    assert is_close(smooth(model, make_picture(SIDE), samples=7, noise=50).values, np.abs(model.module.row(2)).max(0))


def test_a_square_gives_the_gradient_at_the_mean_copy():
    model, image = toy_model(Square()), make_picture(SIDE)
    mean = copies_of(model, image, 0, 9, 30).double().mean(0).numpy()
    assert is_close(smooth(model, image, samples=9, noise=30).values, np.abs(2 * model.module.row(2) * mean).max(0))


@pytest.mark.parametrize("of", ["saliency", "gradient_x_input"])
def test_without_noise_it_is_the_map_itself(of):
    model, image = toy_model(Conv()), make_picture(SIDE)
    assert is_close(
        smooth(model, image, of=of, noise=0, samples=3).values, xai_core.explain(model, image, of, 2).values
    )


def test_shares_of_a_square_add_up_and_say_so():
    # Midpoints are exact here.
    found = smooth(toy_model(Square()), make_picture(SIDE), of="integrated_gradients", samples=4, steps=5)
    assert found.details["completeness_gap"] < 1e-4 and "completeness" in {check.name for check in found.checks}
    assert found.values.astype(np.float64).sum() == pytest.approx(found.details["score_change"], rel=1e-4)
    assert found.evaluations == 1 + 4 * (5 + 1) + 1  # the copies, and once the empty picture


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_the_noise_does_not_depend_on_the_batch(batch):
    image = make_picture(SIDE)
    one, other = toy_model(Conv()), use_plain_torch(toy_model(Conv()), gradient_batch=batch)
    assert is_close(smooth(one, image, samples=7).values, smooth(other, image, samples=7).values, 1e-5)
