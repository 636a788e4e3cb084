"""Adaptive occlusion against all subsets where greedy search is best, and where no answer can be changed."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch

import xai_core
from tests.superpixel_games import SIDE, list_rows, make_game_model, make_segmented_picture, value_per_patch
from tests.zoo_networks import make_picture
from xai_core.methods.adaptive_occlusion import compute_lead, make_windows

WEIGHTS = np.array([0.2, 3.0, -1.0, 0.7, 2.0, -0.3, 1.1, 0.0, 0.5])
SQUARES = {"pieces": "windows", "segments": 9}


def make_scores(weights: np.ndarray, constants: tuple[float, ...]):
    """Logit 0 is the sum of the weights of the patches shown; the other classes have constant logits."""
    factors = torch.from_numpy(weights).float()
    return lambda shown: torch.stack(
        [(shown * factors).sum(1), *(shown.sum(1) * 0 + value for value in constants)], dim=1
    )


def make_square_model(weights: np.ndarray, constants: tuple[float, ...]):
    image, labels = make_picture(SIDE), make_windows(SIDE, 9)
    return make_game_model(image, labels, make_scores(weights, constants), 1 + len(constants)), image, labels


def find_smallest_area(weights: np.ndarray, areas: np.ndarray, goal: float, mode: str) -> float:
    """The least area over all subsets whose cover brings the score down to the goal, or which alone keep it above."""
    rows = list_rows(len(weights))
    scores = rows @ weights
    good = rows[scores > goal] if mode == "keep" else 1 - rows[scores <= goal]
    return float((good @ areas).min())


def test_windows_are_a_partition():
    for side, count in [(40, 9), (28, 50), (224, 2), (5, 400)]:
        labels = make_windows(side, count)
        assert labels.shape == (side, side) and set(labels.ravel()) == set(range(labels.max() + 1))
    assert np.ptp(np.bincount(make_windows(224, 49).ravel())) == 0


@pytest.mark.parametrize("rival", [0.5, 1.6, 3.0, 5.0])
@pytest.mark.parametrize("mode", ["flip", "keep"])
def test_it_finds_the_smallest_part_of_a_network_that_adds_up(mode, rival):
    model, image, labels = make_square_model(WEIGHTS, (rival, rival - 1))
    areas = np.bincount(labels.ravel()) / labels.size
    attribution = xai_core.explain(model, image, "adaptive_occlusion", 0, params=SQUARES | {"mode": mode})
    least, details = find_smallest_area(WEIGHTS, areas, rival, mode), attribution.details
    assert 0 < least < 1 and details["reached"] == 1
    # 40 pixels are not 3 equal parts.
    assert details["pieces"] == round(least * 9) and details["area"] == pytest.approx(least, abs=0.02)
    votes = value_per_patch(attribution.values, labels)
    taken = np.argsort(-WEIGHTS)[: int(details["pieces"])]
    expected = np.where(np.isin(np.arange(9), taken), WEIGHTS, 0)
    assert (
        set(taken[:-1]) <= set(np.flatnonzero(votes)) and np.abs(votes - np.where(votes != 0, WEIGHTS, 0)).max() < 1e-5
    )
    assert np.count_nonzero(votes) == np.count_nonzero(expected)
    start = WEIGHTS.sum() if mode == "flip" else 0.0
    assert details["lead_after"] == pytest.approx(start - rival + (-1 if mode == "flip" else 1) * votes.sum(), abs=1e-4)
    assert details["lead_before"] == pytest.approx(WEIGHTS.sum() - rival, abs=1e-4)


def test_the_last_piece_is_the_smallest_that_is_enough():
    image, labels = make_segmented_picture(12)
    areas = np.bincount(labels.ravel())
    large, small = int(areas.argmax()), int(areas.argmin())
    weights = np.full(len(areas), 0.1)
    weights[large], weights[small] = 5.0, 4.0
    assert areas[large] > areas[small] + 5
    model = make_game_model(image, labels, make_scores(weights, (weights.sum() - 3.9,)))
    votes = value_per_patch(
        xai_core.explain(model, image, "adaptive_occlusion", 0, params={"segments": 12}).values, labels
    )
    assert np.flatnonzero(votes).tolist() == [small]


@pytest.mark.parametrize("mode", ["flip", "keep"])
def test_an_answer_that_cannot_be_changed_is_told(mode):
    rival = -1.5 if mode == "flip" else 8.0
    weights = WEIGHTS if mode == "flip" else np.abs(WEIGHTS)
    model, image, _ = make_square_model(weights, (rival,))
    attribution = xai_core.explain(model, image, "adaptive_occlusion", 0, params=SQUARES | {"mode": mode, "rounds": 5})
    assert (
        attribution.details["pieces"] == 5
        and attribution.details["reached"] == 0
        and np.count_nonzero(attribution.values) > 0
    )
    attribution = xai_core.explain(model, image, "adaptive_occlusion", 0, params=SQUARES | {"mode": mode})
    assert attribution.details["reached"] == (mode == "keep")
    assert attribution.details["area"] == pytest.approx(1 if mode == "flip" else 6 / 9, abs=0.03)


def test_a_class_that_does_not_lead_must_halve_its_odds():
    weights = np.array([0.3, 0.5, 0.1, 0.2, 0.25, 0.0, 0.0, 0.0, 0.0])
    model, image, labels = make_square_model(weights, (9.0, 2.0))
    attribution = xai_core.explain(model, image, "adaptive_occlusion", 0, params=SQUARES)
    before = weights.sum() - 9
    assert attribution.details["lead_before"] == pytest.approx(before, abs=1e-4)
    assert attribution.details["lead_goal"] == pytest.approx(before - log(2), abs=1e-4)
    assert (
        set(np.flatnonzero(value_per_patch(attribution.values, labels))) in ({0, 1}, {1, 4}, {1, 3})
        and attribution.details["reached"] == 1
    )


def test_a_pair_is_about_its_two_classes_only():
    logits = torch.tensor([[1.0, 5.0, 3.0], [2.0, 0.0, -1.0]])
    assert compute_lead(logits, (0, 2)).tolist() == [-2.0, 3.0] and compute_lead(logits, 0).tolist() == [-4.0, 2.0]
    model, image, _ = make_square_model(WEIGHTS, (5.5, 3.0))
    pair, alone = (
        xai_core.explain(model, image, "adaptive_occlusion", target, params=SQUARES) for target in ((0, 2), 0)
    )
    assert pair.details["pieces"] > alone.details["pieces"] > 0


def test_every_look_is_counted():
    model, image, _ = make_square_model(WEIGHTS, (-9.0,))
    attribution = xai_core.explain(model, image, "adaptive_occlusion", 0, params=SQUARES | {"rounds": 3})
    assert (
        attribution.evaluations
        == 2 + 9 + 8 + 7
        == xai_core.METHODS.get("adaptive_occlusion").cost(attribution.params, SIDE)
    )
