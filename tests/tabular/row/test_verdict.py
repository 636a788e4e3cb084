"""Verdict on the bars of one row: the worst finding decides, what was not tested is named, others are compared."""

from __future__ import annotations

import numpy as np
import pytest

from xai_core.results import Check
from xai_core.tabular import Contributions, judge_rows

SUM = Check("sum", "green", "The start and all bars add up to the model's answer.")
POOR_FIT = Check("surrogate_fit", "amber", "The simple sum explains only 39 %: read it with care.")
BROKEN_SUM = Check("sum", "red", "The start and all bars miss the model's answer: do not rely on them.")
FLAT = Check("flat", "amber", "No feature moves the answer of this row at all.")
RISING, FALLING, MIXED = (1.0, 2.0, 3.0, 4.0), (4.0, 3.0, 2.0, 1.0), (3.0, 1.0, 4.0, 2.0)


def explain(method: str, values: tuple[float, ...], *checks: Check) -> Contributions:
    names = ("a", "b", "c", "d")
    return Contributions(method, names, names, np.array(values), 0.0, 1.0, "probability", 1, {}, 0, checks)


def test_bars_that_add_up_and_agree_are_fine_with_two_tests() -> None:
    verdict, second = judge_rows([explain("shap", RISING, SUM), explain("lime", RISING)])
    assert (verdict.state, len(verdict.tests)) == ("fine", 2)
    assert verdict.findings[-1].sentence == "They stand in much the same order as those of LIME."
    assert second.findings[-1].sentence.endswith("of SHAP (Shapley values).")


def test_bars_without_a_check_and_without_others_are_not_checked() -> None:
    (verdict,) = judge_rows([explain("lime", RISING)])
    assert (verdict.state, verdict.tests) == ("unchecked", ())
    assert len(verdict.untested) == 2 and "No other method" in verdict.untested[0]
    assert judge_rows([]) == ()


@pytest.mark.parametrize(
    ("check", "state"), [(SUM, "fine"), (POOR_FIT, "care"), (BROKEN_SUM, "distrust"), (FLAT, "care")]
)
def test_the_worst_finding_decides(check: Check, state: str) -> None:
    verdict, _ = judge_rows([explain("shap", RISING, check), explain("lime", RISING)])
    assert verdict.state == state


def test_bars_that_contradict_each_other_call_for_care_on_both() -> None:
    verdicts = judge_rows([explain("shap", RISING, SUM), explain("lime", FALLING)])
    assert [verdict.state for verdict in verdicts] == ["care", "care"]
    assert verdicts[0].findings[-1].sentence.startswith("They contradict LIME:")


def test_another_order_calls_for_care() -> None:
    # Ranks (1, 2, 3, 4) and (3, 1, 4, 2) have no correlation.
    verdict, _ = judge_rows([explain("shap", RISING, SUM), explain("lime", MIXED)])
    assert verdict.state == "care" and "another order than those of LIME" in verdict.findings[-1].sentence


def test_most_of_the_others_decide() -> None:
    verdict, *_ = judge_rows([explain("shap", RISING, SUM), explain("lime", MIXED), explain("deep_lift", RISING)])
    assert verdict.state == "fine" and verdict.findings[-1].sentence.endswith("those of DeepLIFT.")


def test_flat_bars_are_compared_with_none() -> None:
    verdict, _ = judge_rows([explain("shap", (0.0,) * 4), explain("lime", RISING)])
    assert not verdict.findings and "No other method" in verdict.untested[0]
