"""Checks: each level at its border, and silence where a question does not arise."""

from __future__ import annotations

import numpy as np
import pytest

from xai_core.results import Check
from xai_core.trust import CHECKS, Evidence, run_checks


def evidence(values=None, details=None, probability=0.9, top=0.9) -> Evidence:
    values = np.array([[0.0, 1.0], [-1.0, 0.5]], np.float32) if values is None else np.array(values, np.float32)
    return Evidence(values, details or {}, "espresso", probability, top)


def levels(result: Evidence) -> dict[str, str]:
    return {check.name: check.level for check in raised_checks(result)}


def raised_checks(result: Evidence) -> list[Check]:
    """All but the good news that every sound map gets."""
    return [check for check in run_checks(result) if (check.name, check.level) != ("flat", "green")]


def test_a_sound_map_of_a_sure_model_has_good_news_only():
    (check,) = run_checks(evidence())
    assert (check.name, check.level) == ("flat", "green") and "not empty" in check.sentence


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_no_numbers_are_red(bad):
    (check,) = run_checks(evidence([[0, bad], [1, bad]]))
    assert (check.name, check.level, check.value) == ("finite", "red", 2.0) and check.sentence.startswith("2 values")


@pytest.mark.parametrize("value", [0.0, 3.5, -1.0])
def test_a_flat_map_is_amber(value):
    assert levels(evidence(np.full((3, 3), value))) == {"flat": "amber"}
    assert levels(evidence([[0, 1e-30]])) == {}


@pytest.mark.parametrize(
    ("gap", "level"), [(0.0, "green"), (0.01, "green"), (0.011, "amber"), (0.1, "amber"), (0.11, "red"), (1e9, "red")]
)
def test_completeness(gap, level):
    assert levels(evidence(details={"completeness_gap": gap})) == {"completeness": level}


@pytest.mark.parametrize(
    ("fit", "level"), [(1.0, "green"), (0.6, "green"), (0.59, "amber"), (0.3, "amber"), (0.29, "red"), (-2.0, "red")]
)
def test_surrogate_fit(fit, level):
    (check,) = raised_checks(evidence(details={"surrogate_r2": fit}))
    assert check.level == level and check.value == fit and " -" not in check.sentence


@pytest.mark.parametrize(
    ("own", "top", "word"), [(0.19, 0.19, "unsure"), (0.2, 0.2, ""), (0.009, 0.9, "almost no score"), (0.01, 0.9, "")]
)
def test_an_opinion_worth_explaining(own, top, word):
    result = raised_checks(evidence(probability=own, top=top))
    assert bool(result) == bool(word) and all(check.level == "amber" and word in check.sentence for check in result)


@pytest.mark.parametrize(("reached", "level"), [(1.0, "green"), (0.0, "amber")])
def test_a_search_that_ran_out_says_so(reached, level):
    (check,) = raised_checks(evidence(details={"reached": reached, "area": 0.234}))
    assert (check.name, check.level, check.value) == ("goal_reached", level, 0.234) and "23 %" in check.sentence


def test_every_check_speaks_in_one_sentence():
    sick = {
        "reached": 0.0,
        "area": 0.5,
        "completeness_gap": 5.0,
        "surrogate_r2": 0.0,
        "guided_difference": 0.0,
        "grid_rows": 2.0,
        "baseline_confidence": 1.0,
    }
    worst = evidence([[float("nan"), 1.0]], sick, 0.001, 0.1)
    result = run_checks(worst)
    assert {check.name for check in result} <= set(CHECKS) and len(result) == len(CHECKS) - 1
    for check in result:
        assert check.sentence.endswith(".") and "\n" not in check.sentence and len(check.sentence) < 160


@pytest.mark.parametrize(
    ("difference", "level"), [(0.0, "red"), (1e-4, "red"), (2e-4, "amber"), (0.05, "amber"), (0.06, ""), (1.2, "")]
)
def test_a_guided_map_that_is_the_gradient(difference, level):
    assert levels(evidence(details={"guided_difference": difference})) == (
        {"guided_difference": level} if level else {}
    )


@pytest.mark.parametrize(("grid", "level"), [((4, 9), "amber"), ((3, 3), "amber"), ((5, 5), ""), ((14, 14), "")])
def test_a_layer_too_coarse(grid, level):
    details = {"grid_rows": float(grid[0]), "grid_columns": float(grid[1])}
    assert levels(evidence(details=details)) == ({"coarse_layer": level} if level else {})
    assert "coarse_layer" not in levels(evidence([[1, 1]], details)), "an empty map points at nothing"


@pytest.mark.parametrize(("confidence", "level"), [(0.0, "green"), (0.49, "green"), (0.5, "amber"), (1.0, "amber")])
def test_an_empty_picture_that_is_none_to_the_model(confidence, level):
    assert levels(evidence(details={"baseline_confidence": confidence})) == {"missingness": level}
    assert "missingness" not in levels(evidence()), "no picture was emptied"
