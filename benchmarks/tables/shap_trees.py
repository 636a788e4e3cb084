"""How long do Shapley values of a thousand rows take for tree models, prepared columns and check of the sum included?
"""

from __future__ import annotations

import numpy as np
import shap

from benchmarks.harness.array_contest import TableQuestion
from benchmarks.harness.contest import Bench, Floats
from xai_core.tabular import load_table, shap_summary
from xai_core.tabular.models.train import train

LONGEST_S = 2.0


def boosted(_bench: Bench, rows: int = 1_000) -> TableQuestion:
    """Boosted trees, whose values are log-odds."""
    return _question("gradient_boosting", rows)


def forest(_bench: Bench, rows: int = 1_000) -> TableQuestion:
    """A random forest, whose values are probabilities of each class."""
    return _question("random_forest", rows)


def _question(name: str, rows: int) -> TableQuestion:
    """shap is given the prepared columns; ours makes them, and sums those that came from one feature."""
    table = load_table("loan")
    model = train(table, name)
    chosen = np.arange(rows)
    seen = model.prepare(table.take(chosen))

    def theirs() -> Floats:
        values = np.asarray(shap.TreeExplainer(model.last_step).shap_values(seen.values, check_additivity=False))
        values = values[:, :, -1] if values.ndim == 3 else values
        owned = [[number for number, owner in enumerate(seen.owners) if owner == feature] for feature in table.features]
        return np.column_stack([values[:, own].sum(axis=1) for own in owned])

    title = f"SHAP of the loan table, {model.title.lower()}"
    size = f"{rows:,} rows × {len(table.features)} features"
    return TableQuestion(
        title, size, lambda: shap_summary(model, table=table, rows=chosen).values, "shap", theirs, most_s=LONGEST_S
    )
