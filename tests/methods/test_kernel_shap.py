"""Kernel SHAP against Shapley values by all subsets, the shap package, and games with known values."""

from __future__ import annotations

from math import comb, factorial

import numpy as np
import pytest
import shap
import torch

import xai_core
from tests.superpixel_games import (
    list_rows,
    make_additive_game,
    make_game_model,
    make_interacting_game,
    make_segmented_picture,
    value_per_patch,
)
from tests.zoo_networks import zoo_model
from xai_core import InvalidParam
from xai_core.methods.kernel_shap import fit_shapley_values, sample_coalitions
from xai_core.methods.shared.superpixels import find_superpixels


def compute_shapley_values(game, patches: int) -> np.ndarray:
    """Return each patch's mean gain over all subsets of the others, weighted by how many orders lead there."""
    rows = list_rows(patches)
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
    image, labels = make_segmented_picture(8)
    patches = labels.max() + 1
    game = make_interacting_game(patches)
    expected = compute_shapley_values(game, patches)
    alone = np.array([game(torch.eye(patches)[[patch]])[0, 0] for patch in range(patches)])
    assert 5 <= patches <= 9 and np.abs(expected - alone).max() > 0.5, "the case is trivial if patches simply add up"
    attribution = xai_core.explain(
        make_game_model(image, labels, game), image, "kernel_shap", 0, params={"segments": 8, "samples": 1000}
    )
    assert np.abs(value_per_patch(attribution.values, labels) - expected).max() < 1e-4
    assert attribution.details["exact"] == 1 and attribution.details["patches"] == patches
    assert attribution.evaluations == 2**patches and attribution.details["completeness_gap"] < 1e-6


@pytest.mark.parametrize("replace", ["grey", "mean", "blur"])
def test_a_linear_game_gives_its_weights_from_any_sample(replace):
    image, labels = make_segmented_picture(30)
    weights = np.random.default_rng(2).normal(0, 2, labels.max() + 1)
    params = {"segments": 30, "samples": 200, "replace": replace}
    attribution = xai_core.explain(
        make_game_model(image, labels, make_additive_game(weights)), image, "kernel_shap", 0, params=params
    )
    assert len(weights) > 15 and attribution.details["exact"] == 0 and attribution.evaluations == 202
    assert np.abs(value_per_patch(attribution.values, labels) - weights).max() < 1e-4


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("patches", [2, 3, 6, 9])
def test_it_is_the_shap_packages(patches):
    game = make_interacting_game(patches) if patches > 2 else make_additive_game(np.array([1.0, -3.0]))

    def score_rows(rows: np.ndarray) -> np.ndarray:
        return game(torch.from_numpy(np.asarray(rows)).float())[:, 0].double().numpy()

    theirs = shap.KernelExplainer(score_rows, np.zeros((1, patches))).shap_values(np.ones((1, patches)), silent=True)[0]
    shown, weights = sample_coalitions(patches, 1000, np.random.default_rng(0))
    empty, full = score_rows(np.zeros((1, patches)))[0], score_rows(np.ones((1, patches)))[0]
    assert np.abs(fit_shapley_values(shown, score_rows(shown) - empty, weights, full - empty) - theirs).max() < 1e-4
    assert np.ptp(theirs) > 0.5


def test_more_samples_come_closer():
    patches, errors = 13, []
    game = make_interacting_game(patches, seed=4)
    expected = compute_shapley_values(game, patches)
    score = lambda rows: game(torch.from_numpy(rows).float())[:, 0].double().numpy()  # noqa: E731
    empty, full = score(np.zeros((1, patches)))[0], score(np.ones((1, patches)))[0]
    for samples in (60, 400, 3000):
        missed = []
        for seed in range(5):
            shown, weights = sample_coalitions(patches, samples, np.random.default_rng(seed))
            assert len(shown) <= samples and weights.sum() == pytest.approx(
                sum(1 / (s * (patches - s)) for s in range(1, patches))
            )
            missed.append(
                np.abs(fit_shapley_values(shown, score(shown) - empty, weights, full - empty) - expected).max()
            )
        errors.append(np.mean(missed))
    assert errors[0] > 2 * errors[1] > 4 * errors[2] and errors[2] < 0.05 * np.abs(expected).max()


@pytest.mark.parametrize("patches", [1, 2, 5, 10])
def test_all_subsets_get_the_shapley_kernel(patches):
    shown, weights = sample_coalitions(patches, 2**patches, np.random.default_rng(0))
    assert len(np.unique(shown, axis=0)) == len(shown) == 2**patches - 2
    sizes = shown.sum(1).astype(int).tolist()
    kernel = [1 / (comb(patches, size) * size * (patches - size)) for size in sizes]
    assert np.allclose(weights, kernel)


def test_drawn_subsets_come_with_their_complements():
    shown, _ = sample_coalitions(40, 500, np.random.default_rng(3))
    rows = {tuple(row) for row in shown.astype(int).tolist()}
    assert len(shown) == 500
    assert {tuple(1 - value for value in row) for row in rows} == rows
    assert sum(sum(row) == 1 for row in rows) == 40, "the sizes that weigh most are tried completely"


def test_shares_add_up_on_a_real_network():
    model, image = zoo_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    attribution = xai_core.explain(model, image, "kernel_shap", 3, params={"segments": 20, "samples": 200})
    pixels = model.preprocessing.to_pixels(model.preprocessing.model_input(image))
    shares = value_per_patch(attribution.values, find_superpixels(pixels, 20))
    grey = model.preprocessing.to_tensor(np.full_like(pixels, 0.5))
    with torch.no_grad():
        change = float(model.module(model.prepare(image))[0, 3] - model.module(grey)[0, 3])
    assert abs(change) > 1 and shares.sum() == pytest.approx(change, abs=1e-3)
    assert next(check for check in attribution.checks if check.name == "completeness").level == "green"


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
    first, second = (
        xai_core.explain(model, image, "kernel_shap", params={"segments": 30, "samples": 80}, seed=seed)
        for seed in (0, 1)
    )
    assert not np.array_equal(first.values, second.values)
