"""Tables and models whose predictions are known formulas, so that every explanation of them has a closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from xai_core.tabular.data.table import Table, table_from
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.row.explain import TABULAR_METHODS
from xai_core.tabular.row.method import RowRequest

Formula = Callable[[pd.DataFrame], np.ndarray]


class FormulaEstimator:
    """Estimator that predicts by a formula: the value of a regression, or the probability of the second class."""

    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self.classes_ = np.array([0, 1])

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.formula(frame), dtype=np.float64)

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        yes = self.predict(frame)
        return np.column_stack([1 - yes, yes])


def build_model(table: Table, estimator: Any, **facts: Any) -> TabularModel:
    """Return a model with a fitted estimator, or a formula; three quarters of the rows count as trained on."""
    train_rows, test_rows = table.split(0)
    fields = {
        "glass_box": False,
        "tree_based": False,
        "differentiable": False,
        "class_order": (0, 1)[: len(table.classes)],
    } | facts
    fitted = estimator if hasattr(estimator, "predict") else FormulaEstimator(estimator)
    return TabularModel("known", "A known model", table, fitted, {}, 0, train_rows, test_rows, (), id="known", **fields)


def number_table(features: int = 4, rows: int = 240, seed: int = 3, classes: tuple[str, ...] = ()) -> Table:
    """Independent uniform numbers between 0 and 10 with one decimal, in columns a, b, c, …"""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(np.round(rng.uniform(0, 10, (rows, features)), 1), columns=list("abcdefghijklmnop"[:features]))
    return table_from(frame, rng.integers(0, 2, rows), classes=classes, target_name="size")


def all_kinds_table(rows: int = 240, seed: int = 3, truth: Formula | None = None) -> Table:
    """One column of each kind: income (whole), rate, colour, owner, day; every tenth rate and eighth colour is missing.

    Its classes are "no" and "yes", yes where the truth of a row is over 0.5, or by chance.
    """
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "income": rng.integers(1000, 5000, rows).astype(float),
            "rate": np.where(np.arange(rows) % 10, np.round(rng.uniform(0, 1, rows), 2), np.nan),
            "colour": pd.Series(rng.choice(["red", "green", "blue"], rows), dtype=object).where(
                np.arange(rows) % 8 > 0, np.nan
            ),
            "owner": rng.integers(0, 2, rows).astype(float),
            "day": rng.integers(19_000, 20_000, rows).astype(float),
        }
    )
    target = rng.integers(0, 2, rows) if truth is None else truth(frame) > 0.5
    return table_from(
        frame, target, classes=("no", "yes"), kinds={"owner": "boolean", "day": "date", "colour": "category"}
    )


def build_row_request(model: TabularModel, row: pd.DataFrame, method: str, seed: int = 0, **params: Any) -> RowRequest:
    """Return the request that `explain_row` hands to a method, for tests that call the method's parts."""
    from xai_core.engine.jobs import Job
    from xai_core.params import resolve

    outcome = model.table.outcome_index()
    return RowRequest(
        model, row, outcome, resolve(TABULAR_METHODS.get(method).params, params, 0), np.random.default_rng(seed), Job()
    )
