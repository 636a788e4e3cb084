"""Kernel SHAP against Shapley values counted out over all subsets, against the shap package, and on games whose shares are known."""

from __future__ import annotations

from math import comb, factorial

import numpy as np
import pytest
import shap
import torch

import xai_core
from tests.superpixel_games import crooked, cut, every_row, game_on, linear, per_patch
from tests.zoo_networks import zoo_model
from xai_core import InvalidParam
from xai_core.methods.kernel_shap import _coalitions, _shares
from xai_core.methods.shared.superpixels import superpixels


def counted_out(game, patches: int) -> np.ndarray:
    """The definition: a patch's mean gain over all subsets of the others, weighted by how many orders lead there."""
    rows = every_row(patches)
    scores = game(torch.from_numpy(rows).float())[:, 0].double().numpy().reshape((2,) * patches)
    sizes = rows.sum(1).reshape((2,) * patches)
    shares = []
    for patch in range(patches):
        without, with_it = (np.take(scores, side, axis=patch) for side in (0, 1))
        size = np.take(sizes, 0, axis=patch)
        orders = np.vectorize(lambda s: factorial(int(s)) * factorial(patches - int(s) - 1) / factorial(patches))(size)
        shares.append(float((orders * (with_it - without)).sum()))
    return np.array(shares)


def test_few_patches_are_exact():
    image, labels = cut(8)
    patches = labels.max() + 1
    game = crooked(patches)
    expected = counted_out(game, patches)
    alone = np.array([game(torch.eye(patches)[[patch]])[0, 0] for patch in range(patches)])
    assert 5 <= patches <= 9 and np.abs(expected - alone).max() > 0.5, "the case is trivial if patches simply add up"
    found = xai_core.explain(
        game_on(image, labels, game), image, "kernel_shap", 0, params={"segments": 8, "samples": 1000}
    )
    assert np.abs(per_patch(found.values, labels) - expected).max() < 1e-4
    assert found.details["exact"] == 1 and found.details["patches"] == patches
    assert found.evaluations == 2**patches and found.details["completeness_gap"] < 1e-6


@pytest.mark.parametrize("replace", ["grey", "mean", "blur"])
def test_a_linear_game_gives_its_weights_from_any_sample(replace):
    image, labels = cut(30)
    weights = np.random.default_rng(2).normal(0, 2, labels.max() + 1)
    params = {"segments": 30, "samples": 200, "replace": replace}
    found = xai_core.explain(game_on(image, labels, linear(weights)), image, "kernel_shap", 0, params=params)
    assert len(weights) > 15 and found.details["exact"] == 0 and found.evaluations == 202
    assert np.abs(per_patch(found.values, labels) - weights).max() < 1e-4


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("patches", [2, 3, 6, 9])
def test_it_is_the_shap_packages(patches):
    game = crooked(patches) if patches > 2 else linear(np.array([1.0, -3.0]))

    def play(rows: np.ndarray) -> np.ndarray:
        return game(torch.from_numpy(np.asarray(rows)).float())[:, 0].double().numpy()

    theirs = shap.KernelExplainer(play, np.zeros((1, patches))).shap_values(np.ones((1, patches)), silent=True)[0]
    shown, weights = _coalitions(patches, 1000, np.random.default_rng(0))
    empty, full = play(np.zeros((1, patches)))[0], play(np.ones((1, patches)))[0]
    assert np.abs(_shares(shown, play(shown) - empty, weights, full - empty) - theirs).max() < 1e-4
    assert np.ptp(theirs) > 0.5


def test_more_samples_come_closer():
    patches, errors = 13, []
    game = crooked(patches, seed=4)
    expected = counted_out(game, patches)
    score = lambda rows: game(torch.from_numpy(rows).float())[:, 0].double().numpy()  # noqa: E731
    empty, full = score(np.zeros((1, patches)))[0], score(np.ones((1, patches)))[0]
    for samples in (60, 400, 3000):
        missed = []
        for seed in range(5):
            shown, weights = _coalitions(patches, samples, np.random.default_rng(seed))
            assert len(shown) <= samples and weights.sum() == pytest.approx(
                sum(1 / (s * (patches - s)) for s in range(1, patches))
            )
            missed.append(np.abs(_shares(shown, score(shown) - empty, weights, full - empty) - expected).max())
        errors.append(np.mean(missed))
    assert errors[0] > 2 * errors[1] > 4 * errors[2] and errors[2] < 0.05 * np.abs(expected).max()


@pytest.mark.parametrize("patches", [1, 2, 5, 10])
def test_all_subsets_get_the_shapley_kernel(patches):
    shown, weights = _coalitions(patches, 2**patches, np.random.default_rng(0))
    assert len(np.unique(shown, axis=0)) == len(shown) == 2**patches - 2
    sizes = shown.sum(1).astype(int).tolist()
    kernel = [1 / (comb(patches, size) * size * (patches - size)) for size in sizes]
    assert np.allclose(weights, kernel)


def test_drawn_subsets_come_with_their_complements():
    shown, _ = _coalitions(40, 500, np.random.default_rng(3))
    rows = {tuple(row) for row in shown.astype(int).tolist()}
    assert len(shown) == 500
    assert {tuple(1 - value for value in row) for row in rows} == rows
    assert sum(sum(row) == 1 for row in rows) == 40, "the sizes that weigh most are tried completely"


def test_shares_add_up_on_a_real_network():
    model, image = zoo_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    found = xai_core.explain(model, image, "kernel_shap", 3, params={"segments": 20, "samples": 200})
    pixels = model.preprocessing.to_pixels(model.preprocessing.model_input(image))
    shares = per_patch(found.values, superpixels(pixels, 20))
    grey = model.preprocessing.to_tensor(np.full_like(pixels, 0.5))
    with torch.no_grad():
        change = float(model.module(model.prepare(image))[0, 3] - model.module(grey)[0, 3])
    assert abs(change) > 1 and shares.sum() == pytest.approx(change, abs=1e-3)
    assert next(check for check in found.checks if check.name == "completeness").level == "green"


def test_fewer_samples_than_two_a_patch_are_refused():
    with pytest.raises(InvalidParam, match="samples"):
        xai_core.explain(
            zoo_model("small_cnn"),
            xai_core.SAMPLES.get("digit_3").load(),
            "kernel_shap",
            params={"segments": 50, "samples": 90},
        )


def test_another_seed_draws_other_subsets():
    model, image = zoo_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    one, two = (
        xai_core.explain(model, image, "kernel_shap", params={"segments": 30, "samples": 80}, seed=seed)
        for seed in (0, 1)
    )
    assert not np.array_equal(one.values, two.values)
