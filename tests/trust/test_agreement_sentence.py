"""The sentence about several maps, for planted agreements and known objects."""

from __future__ import annotations

import numpy as np
import pytest

from xai_core.results import Attribution
from xai_core.trust import Agreement, describe_agreement, points_at

NAMES = ["Grad-CAM", "Occlusion", "Integrated Gradients", "LIME"]


def pairs(*ranks: tuple[int, int, float], size: int = 4) -> Agreement:
    """Return an agreement of maps that have nothing in common but these pairs."""
    rank = np.eye(size)
    for first, second, value in ranks:
        rank[first, second] = rank[second, first] = value
    return Agreement(rank, rank)


@pytest.mark.parametrize(
    ("agreement", "sentence"),
    [
        (pairs((0, 1, 0.6), (0, 2, 0.5), (1, 2, 0.4)), "Three of four point at the same place; LIME disagrees."),
        (pairs((0, 1, 0.6), (0, 2, 0.5), (0, 3, 0.4)), "All four point at the same place."),
        (
            pairs((1, 2, 0.5), (0, 3, -0.55)),
            ("Two of four point at the same place (Occlusion and Integrated Gradients); Grad-CAM and LIME disagree. "
            "Grad-CAM and LIME contradict each other (−0.55)."),
        ),
        (pairs(), "No two of the four point at the same place."),
        (pairs((0, 1, 0.7), size=2), "Both point at the same place."),
        (pairs((0, 1, 0.1), size=2), "The two maps point at different places."),
        (
            pairs((0, 1, -0.4), size=2),
            "The two maps point at different places. Grad-CAM and Occlusion contradict each other (−0.40).",
        ),
        (pairs((0, 1, 0.5), (0, 2, 0.5), (0, 3, np.nan), (1, 3, np.nan), (2, 3, np.nan)),
         "All three point at the same place. LIME cannot be compared."),
        (pairs((0, 1, np.nan), size=2), "These maps cannot be compared with each other."),
    ],
)  # fmt: skip
def test_without_a_known_object(agreement, sentence):
    assert describe_agreement(NAMES[: len(agreement.rank)], agreement) == sentence


@pytest.mark.parametrize(
    ("hits", "sentence"),
    [
        ((True, True, True, False), "Three of four point at the cup; LIME points elsewhere."),
        ((True, True, True, True), "All four point at the cup."),
        ((False, False, False, False), "None of the four points at the cup."),
        ((True, False, False, False), ("Only Grad-CAM points at the cup; Occlusion, Integrated Gradients and LIME "
         "point elsewhere.")),
        ((True, True, False, False), ("Two of four point at the cup (Grad-CAM and Occlusion); Integrated Gradients "
         "and LIME point elsewhere.")),
        ((True, True, None, True), "All three point at the cup. Integrated Gradients cannot be compared."),
        ((True, None, None, None), "These maps cannot be compared with each other."),
    ],
)  # fmt: skip
def test_with_a_known_object(hits, sentence):
    assert describe_agreement(NAMES, pairs(), "the cup", hits) == sentence


def test_two_maps_and_a_known_object():
    assert describe_agreement(NAMES[:2], pairs(size=2), "the cup", (True, True)) == "Both point at the cup."
    assert describe_agreement(NAMES[:2], pairs(size=2), "the cup", (False, False)) == "Neither points at the cup."


def hill(row: int, column: int, side: int = 112) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    return np.exp(-((y - row) ** 2 + (x - column) ** 2) / 200)


def attribution(values: np.ndarray) -> Attribution:
    return Attribution(values, "m", "n", None, 0, "a", "logit", {}, 0, 1, 0.1, "", {})


def test_the_strongest_place_lies_on_the_object_or_not():
    mask = np.zeros((112, 112), bool)
    mask[28:56, 56:84] = True
    assert points_at(attribution(hill(40, 70)), mask) is True
    assert points_at(attribution(hill(90, 20)), mask) is False
    assert points_at(attribution(-hill(40, 70)), mask) is False, "evidence against does not point at it"
    assert points_at(attribution(hill(59, 70)), mask) is True, "half a place beside it is near enough"
    assert points_at(attribution(hill(78, 70)), mask) is False, "three places are not"
    lone = np.zeros((112, 112))
    lone[100, 5] = 30
    assert points_at(attribution(3 * hill(40, 70) + lone / 100), mask) is True, "a dot is weaker than a hill"
    assert points_at(attribution(np.ones((112, 112))), mask) is None
    assert points_at(attribution(np.full((112, 112), np.nan)), mask) is None
