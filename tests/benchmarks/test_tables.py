"""The benchmarks over tables on tiny sizes: both sides agree, and a miss is reported."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from benchmarks.__main__ import format_report
from benchmarks.harness.array_contest import TableQuestion, format_contest_table, measure_table
from benchmarks.harness.contest import Workload
from benchmarks.tables import partial_dependence, shap_trees

WORKLOAD = cast(Workload, SimpleNamespace(repeats=1, log=lambda _text: None))


def test_partial_dependence_is_that_of_scikit_learn() -> None:
    answer = measure_table(WORKLOAD, partial_dependence.build_question(WORKLOAD, rows=200, columns=4, grid=5, rounds=5))
    assert answer.row.difference < 1e-12 and answer.row.peer == "scikit-learn"
    assert answer.row.size == "200 rows × 4 features, grid of 5"
    assert min(answer.row.ours_s, answer.row.peer_s, answer.row.ratio) > 0


@pytest.mark.parametrize("ask", [shap_trees.build_boosted_question, shap_trees.build_forest_question])
def test_shapley_values_are_those_of_shap(ask: Any) -> None:
    answer = measure_table(WORKLOAD, ask(WORKLOAD, rows=10))
    assert answer.row.difference < 1e-9 and answer.misses == ()


def test_a_miss_is_told_in_a_sentence_beneath_the_table() -> None:
    question = TableQuestion("A", "1 row", lambda: np.ones(2), "B", lambda: np.zeros(2), max_ratio=0.0, max_s=100.0)
    answer = measure_table(WORKLOAD, question)
    assert len(answer.misses) == 2
    assert answer.misses[1] == "A against B: largest difference is 1, to reach: at most 1e-10"
    text = format_report([], [answer], ["Machine: this one."])
    assert text.startswith(format_contest_table([answer.row]) + "\n\n- Machine: this one.")
    assert "- MISSED: A against B: ours / peer is " in text
    assert {line.count("|") for line in format_contest_table([answer.row]).splitlines()} == {10}
