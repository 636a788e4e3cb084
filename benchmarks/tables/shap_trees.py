"""Time of Shapley values of a thousand rows for tree models, encoding and check of the sum included."""

from __future__ import annotations

import numpy as np
import shap

from benchmarks.harness.array_contest import TableQuestion
from benchmarks.harness.contest import Workload
from xai_core.arrays import Float
from xai_core.tabular import load_table, shap_summary
from xai_core.tabular.models.train import train

MAX_SECONDS = 2.0


def build_boosted_question(_workload: Workload, rows: int = 1_000) -> TableQuestion:
    """Build the contest on boosted trees, whose values are log-odds."""
    return _build_question("gradient_boosting", rows)


def build_forest_question(_workload: Workload, rows: int = 1_000) -> TableQuestion:
    """Build the contest on a random forest, whose values are probabilities of each class."""
    return _build_question("random_forest", rows)


def _build_question(name: str, rows: int) -> TableQuestion:
    """Build the contest; shap gets encoded columns, ours encodes and sums the columns of each feature."""
    table = load_table("loan")
    model = train(table, name)
    selected_rows = np.arange(rows)
    prepared = model.prepare(table.take(selected_rows))

    def theirs() -> Float:
        values = np.asarray(shap.TreeExplainer(model.last_step).shap_values(prepared.values, check_additivity=False))
        values = values[:, :, -1] if values.ndim == 3 else values
        columns = [
            [number for number, owner in enumerate(prepared.owners) if owner == feature] for feature in table.features
        ]
        return np.column_stack([values[:, numbers].sum(axis=1) for numbers in columns])

    title = f"SHAP of the loan table, {model.title.lower()}"
    size = f"{rows:,} rows × {len(table.features)} features"
    return TableQuestion(
        title,
        size,
        lambda: shap_summary(model, table=table, rows=selected_rows).values,
        "shap",
        theirs,
        max_s=MAX_SECONDS,
    )
