"""LIME against a network that is linear in its superpixels, and against scikit-learn by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

import xai_core
from tests.superpixel_games import make_additive_game, make_game_model, make_segmented_picture, value_per_patch
from tests.zoo_networks import make_picture, zoo_model
from xai_core import InvalidParam
from xai_core.methods.lime import KLasso
from xai_core.methods.shared.superpixels import find_superpixels


def make_planted_model(segments: int, seed: int = 0):
    image, labels = make_segmented_picture(segments, seed)
    weights = np.random.default_rng(seed).normal(0, 2, labels.max() + 1)
    return make_game_model(image, labels, make_additive_game(weights)), image, labels, weights


@pytest.mark.parametrize("replace", ["grey", "mean", "blur"])
def test_it_recovers_the_weights_of_a_linear_network(replace):
    model, image, labels, weights = make_planted_model(20)
    assert len(weights) > 10 and np.ptp(weights) > 3
    params = {"segments": 20, "features": 20, "samples": 2000, "kernel_width": 5.0, "replace": replace}
    attribution = xai_core.explain(model, image, "lime", 0, params=params)
    recovered = value_per_patch(attribution.values, labels)
    # The ridge (alpha 1) shrinks a little.
    assert np.abs(recovered - weights).max() < 0.02 * np.abs(weights).max()
    assert attribution.details["surrogate_r2"] > 0.999 and attribution.details["patches"] == len(weights)
    assert next(check for check in attribution.checks if check.name == "surrogate_fit").level == "green"


def test_k_lasso_keeps_the_k_strongest():
    model, image, labels, weights = make_planted_model(20, seed=3)
    strong = set(np.argsort(-np.abs(weights))[:3])
    attribution = xai_core.explain(
        model, image, "lime", 0, params={"segments": 20, "features": 3, "samples": 2000, "kernel_width": 5.0}
    )
    assert set(np.flatnonzero(value_per_patch(attribution.values, labels))) == strong
    assert attribution.details["surrogate_r2"] < 0.999


def test_the_surrogate_is_scikit_learns_weighted_ridge():
    rng = np.random.default_rng(1)
    shown = rng.integers(0, 2, (300, 9)).astype(np.float32)
    scores, similarity = rng.normal(size=300), rng.uniform(0.1, 1, 300)

    class Data:
        class dataset:  # noqa: N801 - stands in for torch's loader
            tensors = tuple(torch.from_numpy(np.asarray(a)) for a in (shown, scores, similarity))

    surrogate = KLasso(9)
    surrogate.fit(Data)
    ridge = Ridge(alpha=1.0).fit(shown, scores, similarity)
    assert np.allclose(surrogate.weights, ridge.coef_, atol=1e-6)
    assert surrogate.r2 == pytest.approx(ridge.score(shown, scores, similarity), abs=1e-6)


def test_superpixels_are_a_partition():
    for name in ("coffee", "chelsea"):
        pixels = np.asarray(xai_core.SAMPLES.get(name).load().resize((224, 224)), np.float32) / 255
        labels = find_superpixels(pixels, 50)
        assert 25 <= labels.max() + 1 <= 100 and set(np.unique(labels)) == set(range(labels.max() + 1))


def test_more_votes_than_patches_is_refused():
    with pytest.raises(InvalidParam, match="features"):
        xai_core.explain(zoo_model("small_cnn"), make_picture(), "lime", params={"segments": 5, "features": 6})


def test_another_seed_draws_other_samples():
    model, image = zoo_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    first, second = (xai_core.explain(model, image, "lime", params={"samples": 60}, seed=seed) for seed in (0, 1))
    assert not np.array_equal(first.values, second.values)
