"""Reach of each feature over one row: against a loop over values, on models known in closed form."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

from tests.tabular.closed_form_models import build_model
from xai_core import tabular
from xai_core.tabular.data.table import table_from


def test_a_linear_model_ranks_by_weight_times_spread_whatever_the_row() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(0, 1, 400), "b": rng.normal(0, 5, 400), "c": rng.normal(0, 9, 400)})
    table = table_from(frame, 4 * frame["a"] - frame["b"])
    fitted = LinearRegression().fit(table.frame, table.target)
    ranks = tabular.rank_for_row(fitted, table.take([7]), table=table)
    assert list(ranks) == ["b", "a", "c"]
    # 16 values at even ranks have nearly the spread of all.
    assert abs(ranks["b"] / frame["b"].std() - 1) < 0.25 and ranks["c"] < 1e-9


def test_the_answer_depends_on_the_row_on_its_outcome_and_takes_words_and_gaps() -> None:
    """A tree that reads b only where a is high: elsewhere b can change nothing."""
    a, b = np.meshgrid([0.0, 1.0], [0.0, 1.0])
    frame = pd.DataFrame({"word": ["x", "y"] * 200, "gap": [np.nan] * 400})
    frame["a"], frame["b"] = np.resize(a.ravel(), 400), np.resize(b.ravel(), 400)
    target = ((frame["a"] > 0.5) & (frame["b"] > 0.5)).astype(int)
    table = table_from(frame[["a", "b"]], target, classes=("no", "yes"))
    model = build_model(table, DecisionTreeClassifier(random_state=0).fit(table.frame, table.target))
    low, high = (table.take([int(np.flatnonzero(frame["a"] == value)[0])]) for value in (0.0, 1.0))
    before = high.copy()
    assert tabular.rank_for_row(model, low.assign(b=0.0))["b"] == 0.0
    assert next(iter(tabular.rank_for_row(model, high.assign(b=0.0), outcome=0))) == "b"
    pd.testing.assert_frame_equal(high, before)
    loan = tabular.train(tabular.load_table("loan"), "decision_tree")
    row = loan.table.take([3])
    ranks = tabular.rank_for_row(loan, row)
    assert set(ranks) == set(loan.table.features)
    strongest = next(iter(ranks))
    spread = [loan.score(row.assign(**{strongest: value}))[0] for value in loan.table.frame[strongest][::40]]
    assert abs(np.std(spread) - ranks[strongest]) < 0.15 and ranks[strongest] > 0.05
