"""LIME against a network that is linear in its superpixels, and against scikit-learn by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

import xai_core
from tests.superpixel_games import cut, game_on, linear, per_patch
from tests.zoo_networks import make_picture, zoo_model
from xai_core import InvalidParam
from xai_core.methods.lime import _KLasso
from xai_core.methods.shared.superpixels import superpixels


def planted(segments: int, seed: int = 0):
    image, labels = cut(segments, seed)
    weights = np.random.default_rng(seed).normal(0, 2, labels.max() + 1)
    return game_on(image, labels, linear(weights)), image, labels, weights


@pytest.mark.parametrize("replace", ["grey", "mean", "blur"])
def test_it_recovers_the_weights_of_a_linear_network(replace):
    model, image, labels, weights = planted(20)
    assert len(weights) > 10 and np.ptp(weights) > 3
    params = {"segments": 20, "features": 20, "samples": 2000, "kernel_width": 5.0, "replace": replace}
    found = xai_core.explain(model, image, "lime", 0, params=params)
    recovered = per_patch(found.values, labels)
    assert np.abs(recovered - weights).max() < 0.02 * np.abs(weights).max()  # the ridge (alpha 1) shrinks a little
    assert found.details["surrogate_r2"] > 0.999 and found.details["patches"] == len(weights)
    assert next(check for check in found.checks if check.name == "surrogate_fit").level == "green"


def test_k_lasso_keeps_the_k_strongest():
    model, image, labels, weights = planted(20, seed=3)
    strong = set(np.argsort(-np.abs(weights))[:3])
    found = xai_core.explain(
        model, image, "lime", 0, params={"segments": 20, "features": 3, "samples": 2000, "kernel_width": 5.0}
    )
    assert set(np.flatnonzero(per_patch(found.values, labels))) == strong
    assert found.details["surrogate_r2"] < 0.999


def test_the_surrogate_is_scikit_learns_weighted_ridge():
    rng = np.random.default_rng(1)
    shown = rng.integers(0, 2, (300, 9)).astype(np.float32)
    scores, similarity = rng.normal(size=300), rng.uniform(0.1, 1, 300)

    class Data:
        class dataset:  # noqa: N801 - stands in for torch's loader
            tensors = tuple(torch.from_numpy(np.asarray(a)) for a in (shown, scores, similarity))

    surrogate = _KLasso(9)
    surrogate.fit(Data)
    ridge = Ridge(alpha=1.0).fit(shown, scores, similarity)
    assert np.allclose(surrogate.weights, ridge.coef_, atol=1e-6)
    assert surrogate.r2 == pytest.approx(ridge.score(shown, scores, similarity), abs=1e-6)


def test_superpixels_are_a_partition():
    for name in ("coffee", "chelsea"):
        pixels = np.asarray(xai_core.SAMPLES.get(name).load().resize((224, 224)), np.float32) / 255
        labels = superpixels(pixels, 50)
        assert 25 <= labels.max() + 1 <= 100 and set(np.unique(labels)) == set(range(labels.max() + 1))


def test_more_votes_than_patches_is_refused():
    with pytest.raises(InvalidParam, match="features"):
        xai_core.explain(zoo_model("small_cnn"), make_picture(), "lime", params={"segments": 5, "features": 6})


def test_another_seed_draws_other_samples():
    model, image = zoo_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    one, two = (xai_core.explain(model, image, "lime", params={"samples": 60}, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one.values, two.values)
