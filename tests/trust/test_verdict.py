"""Verdicts: what each combination of checks, sanity record and comparison must come to, and the words of each."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from xai_core.results import Check
from xai_core.trust import CHECKS, STATES, Agreement, Evidence, compare_with, judge_map, run_checks
from xai_core.trust.verdict import is_test

NOT_EMPTY = Check("flat", "green", "The map is not empty.")
TESTS = {level: Check("completeness", level, f"Shares: {level}.") for level in ("green", "amber", "red")}
RECORDS = {"passes": "green", "mixed": "amber", "fails": "red", "unknown": None}
COMPARISONS = {level: Check("agreement", level, f"Others: {level}.") for level in ("green", "amber")}


@pytest.mark.parametrize(("own", "sanity", "comparison"), list(product([None, *TESTS], RECORDS, [None, *COMPARISONS])))
def test_every_combination(own, sanity, comparison):
    checks = [NOT_EMPTY, *([TESTS[own]] if own else [])]
    verdict = judge_map(checks, sanity, "Passes: it did.", COMPARISONS.get(comparison))
    levels = {own, RECORDS[sanity], comparison}
    expected = (
        "distrust" if "red" in levels else "care" if "amber" in levels else "fine" if own or comparison else "unchecked"
    )
    assert verdict.state == expected
    assert len(verdict.tests) == sum(bool(part) for part in (own, RECORDS[sanity], comparison))
    assert NOT_EMPTY in verdict.findings and NOT_EMPTY not in verdict.tests
    assert len(verdict.untested) == (not own and not comparison) + (sanity == "unknown") + (not comparison)


def test_a_record_alone_vouches_for_no_map():
    verdict = judge_map([NOT_EMPTY], "passes", "Passes: it did.", None)
    assert verdict.state == "unchecked" and verdict.summary == "One test was made, and it was passed."
    assert verdict.untested[0].startswith("Nothing was tested about this map itself")


@pytest.mark.parametrize(("value", "state"), [(np.nan, "distrust"), (0.0, "care")])
def test_what_is_not_there_is_not_fine_though_others_agree(value, state):
    checks = run_checks(Evidence(np.full((3, 3), value, np.float32), {}, "espresso", 0.9, 0.9))
    assert judge_map(checks, "passes", "", COMPARISONS["green"]).state == state


def test_a_check_of_another_version_counts():
    assert is_test(Check("fit_of_tomorrow", "green", "It fits."))
    assert {name for name in CHECKS if CHECKS.get(name).basic} == {"coarse_layer", "finite", "flat", "model_unsure"}


@pytest.mark.parametrize(
    ("levels", "summary"),
    [
        ((), "No test was made."),
        (("green",), "One test was made, and it was passed."),
        (("amber",), "One test was made, and none was passed."),
        (("green", "green"), "Two tests were made, and all were passed."),
        (("green", "red"), "Two tests were made, and one was passed."),
    ],
)
def test_the_summary_counts(levels, summary):
    checks = [NOT_EMPTY, *(Check(f"test_{at}", level, "A.") for at, level in enumerate(levels))]
    assert judge_map(checks, "unknown", "", None).summary == summary


def test_care_without_a_failed_test_says_that_there_is_more():
    unsure = Check("model_unsure", "amber", "Unsure.")
    verdict = judge_map([NOT_EMPTY, TESTS["green"], unsure], "unknown", "", None)
    assert verdict.state == "care" and verdict.summary.endswith("But something else calls for care.")


def test_states_from_best_to_worst():
    places = [
        judge_map([NOT_EMPTY, *more], "unknown", "", None).place for more in ([TESTS["green"]], [], [TESTS["amber"]])
    ]
    assert places == [0, 1, 2] and list(STATES) == ["fine", "unchecked", "care", "distrust"]


def compare(ranks: list[float]) -> Check | None:
    """Return the comparison of the first map with the others, whose correlations with it are `ranks`."""
    size = len(ranks) + 1
    rank = np.eye(size)
    rank[0, 1:] = rank[1:, 0] = ranks
    return compare_with(0, range(size), Agreement(rank, rank), ["own", "Grad-CAM", "LIME", "Occlusion", "RISE"][:size])


@pytest.mark.parametrize(
    ("ranks", "level", "sentence"),
    [
        ([0.8], "green", "It points at the same place as Grad-CAM."),
        ([0.1], "amber", "It points at another place than Grad-CAM."),
        ([0.8, 0.3], "green", "It points at the same place as both other maps."),
        ([0.8, 0.29], "green", "It points at the same place as one of the two other maps."),
        ([0.8, 0.1, 0.1], "amber", "It points at the same place as only one of the three other maps."),
        ([0.1, 0.1, -0.2], "amber", "It points at another place than each of the three other maps."),
        ([0.9, 0.9, -0.55], "amber", "It contradicts Occlusion (−0.55): where one sees evidence for, "),
        ([-0.4, -0.55, 0.9], "amber", "It contradicts Grad-CAM and LIME (−0.55): where one sees evidence for, "),
        ([np.nan, 0.5], "green", "It points at the same place as LIME."),
    ],
)
def test_comparison_with_others(ranks, level, sentence):
    check = compare(ranks)
    assert check is not None and check.level == level and check.sentence.startswith(sentence)


def test_nothing_to_compare_with():
    assert compare([]) is None and compare([np.nan]) is None
