"""The benchmarks over tables on sizes so small that their numbers mean nothing: both sides agree, and a miss is told.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from benchmarks.__main__ import report
from benchmarks.harness.array_contest import TableQuestion, measure_table, table_of
from benchmarks.harness.contest import Bench
from benchmarks.tables import partial_dependence, shap_trees

BENCH = cast(Bench, SimpleNamespace(repeats=1, say=lambda _text: None))


def test_partial_dependence_is_that_of_scikit_learn() -> None:
    answer = measure_table(BENCH, partial_dependence.question(BENCH, rows=200, columns=4, grid=5, rounds=5))
    assert answer.row.difference < 1e-12 and answer.row.peer == "scikit-learn"
    assert answer.row.size == "200 rows × 4 features, grid of 5"
    assert min(answer.row.ours_s, answer.row.peer_s, answer.row.ratio) > 0


@pytest.mark.parametrize("ask", [shap_trees.boosted, shap_trees.forest])
def test_shapley_values_are_those_of_shap(ask: Any) -> None:
    answer = measure_table(BENCH, ask(BENCH, rows=10))
    assert answer.row.difference < 1e-9 and answer.missed == ()


def test_a_miss_is_told_in_a_sentence_beneath_the_table() -> None:
    question = TableQuestion("A", "1 row", lambda: np.ones(2), "B", lambda: np.zeros(2), most_ratio=0.0, most_s=100.0)
    answer = measure_table(BENCH, question)
    assert len(answer.missed) == 2
    assert answer.missed[1] == "A against B: largest difference is 1, to reach: at most 1e-10"
    said = report([], [answer], ["Machine: this one."])
    assert said.startswith(table_of([answer.row]) + "\n\n- Machine: this one.")
    assert "- MISSED: A against B: ours / peer is " in said
    assert {line.count("|") for line in table_of([answer.row]).splitlines()} == {10}
