"""Adaptive occlusion against all subsets on networks for which greedy growth is best, and where the answer cannot be changed."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch

import xai_core
from tests.superpixel_games import SIDE, cut, every_row, game_on, per_patch
from tests.zoo_networks import make_picture
from xai_core.methods.adaptive_occlusion import lead_of, windows

WEIGHTS = np.array([0.2, 3.0, -1.0, 0.7, 2.0, -0.3, 1.1, 0.0, 0.5])
SQUARES = {"pieces": "windows", "segments": 9}


def rivals(weights: np.ndarray, others: tuple[float, ...]):
    """Logit 0 is the sum of the weights of the patches shown; the other classes have constant logits."""
    kept = torch.from_numpy(weights).float()
    return lambda shown: torch.stack([(shown * kept).sum(1), *(shown.sum(1) * 0 + value for value in others)], dim=1)


def squares(weights: np.ndarray, others: tuple[float, ...]):
    image, labels = make_picture(SIDE), windows(SIDE, 9)
    return game_on(image, labels, rivals(weights, others), 1 + len(others)), image, labels


def smallest(weights: np.ndarray, areas: np.ndarray, goal: float, mode: str) -> float:
    """The least area over all subsets whose cover brings the score down to the goal, or which alone keep it above."""
    rows = every_row(len(weights))
    scores = rows @ weights
    good = rows[scores > goal] if mode == "keep" else 1 - rows[scores <= goal]
    return float((good @ areas).min())


def test_windows_are_a_partition():
    for side, count in [(40, 9), (28, 50), (224, 2), (5, 400)]:
        labels = windows(side, count)
        assert labels.shape == (side, side) and set(labels.ravel()) == set(range(labels.max() + 1))
    assert np.ptp(np.bincount(windows(224, 49).ravel())) == 0


@pytest.mark.parametrize("rival", [0.5, 1.6, 3.0, 5.0])
@pytest.mark.parametrize("mode", ["flip", "keep"])
def test_it_finds_the_smallest_part_of_a_network_that_adds_up(mode, rival):
    model, image, labels = squares(WEIGHTS, (rival, rival - 1))
    areas = np.bincount(labels.ravel()) / labels.size
    found = xai_core.explain(model, image, "adaptive_occlusion", 0, params=SQUARES | {"mode": mode})
    least, details = smallest(WEIGHTS, areas, rival, mode), found.details
    assert 0 < least < 1 and details["reached"] == 1
    # 40 pixels are not 3 equal parts.
    assert details["pieces"] == round(least * 9) and details["area"] == pytest.approx(least, abs=0.02)
    votes = per_patch(found.values, labels)
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
    image, labels = cut(12)
    areas = np.bincount(labels.ravel())
    large, small = int(areas.argmax()), int(areas.argmin())
    weights = np.full(len(areas), 0.1)
    weights[large], weights[small] = 5.0, 4.0
    assert areas[large] > areas[small] + 5
    model = game_on(image, labels, rivals(weights, (weights.sum() - 3.9,)))
    votes = per_patch(xai_core.explain(model, image, "adaptive_occlusion", 0, params={"segments": 12}).values, labels)
    assert np.flatnonzero(votes).tolist() == [small]


@pytest.mark.parametrize("mode", ["flip", "keep"])
def test_an_answer_that_cannot_be_changed_is_told(mode):
    rival = -1.5 if mode == "flip" else 8.0
    weights = WEIGHTS if mode == "flip" else np.abs(WEIGHTS)
    model, image, _ = squares(weights, (rival,))
    found = xai_core.explain(model, image, "adaptive_occlusion", 0, params=SQUARES | {"mode": mode, "rounds": 5})
    assert found.details["pieces"] == 5 and found.details["reached"] == 0 and np.count_nonzero(found.values) > 0
    found = xai_core.explain(model, image, "adaptive_occlusion", 0, params=SQUARES | {"mode": mode})
    assert found.details["reached"] == (mode == "keep")
    assert found.details["area"] == pytest.approx(1 if mode == "flip" else 6 / 9, abs=0.03)


def test_a_class_that_does_not_lead_must_halve_its_odds():
    weights = np.array([0.3, 0.5, 0.1, 0.2, 0.25, 0.0, 0.0, 0.0, 0.0])
    model, image, labels = squares(weights, (9.0, 2.0))
    found = xai_core.explain(model, image, "adaptive_occlusion", 0, params=SQUARES)
    before = weights.sum() - 9
    assert found.details["lead_before"] == pytest.approx(before, abs=1e-4)
    assert found.details["lead_goal"] == pytest.approx(before - log(2), abs=1e-4)
    assert (
        set(np.flatnonzero(per_patch(found.values, labels))) in ({0, 1}, {1, 4}, {1, 3})
        and found.details["reached"] == 1
    )


def test_a_pair_is_about_its_two_classes_only():
    logits = torch.tensor([[1.0, 5.0, 3.0], [2.0, 0.0, -1.0]])
    assert lead_of(logits, (0, 2)).tolist() == [-2.0, 3.0] and lead_of(logits, 0).tolist() == [-4.0, 2.0]
    model, image, _ = squares(WEIGHTS, (5.5, 3.0))
    pair, alone = (
        xai_core.explain(model, image, "adaptive_occlusion", target, params=SQUARES) for target in ((0, 2), 0)
    )
    assert pair.details["pieces"] > alone.details["pieces"] > 0


def test_every_look_is_counted():
    model, image, _ = squares(WEIGHTS, (-9.0,))
    found = xai_core.explain(model, image, "adaptive_occlusion", 0, params=SQUARES | {"rounds": 3})
    assert found.evaluations == 2 + 9 + 8 + 7 == xai_core.METHODS.get("adaptive_occlusion").cost(found.params, SIDE)
