"""Time of partial dependence and individual lines over a large table against scikit-learn's, on the same grid."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import partial_dependence as by_sklearn

from benchmarks.harness.array_contest import TableQuestion
from benchmarks.harness.contest import Workload
from xai_core.arrays import Float
from xai_core.tabular import partial_dependence, table_from

FEATURE = "x1"


def build_question(
    _workload: Workload, rows: int = 20_000, columns: int = 20, grid: int = 50, rounds: int = 100
) -> TableQuestion:
    """Build the contest on gradient boosting with interacting features."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, columns)), columns=[f"x{place}" for place in range(columns)])
    score = frame["x0"] + frame["x1"] * frame["x2"] + np.sin(frame["x3"]) + rng.normal(0, 0.5, rows)
    table = table_from(frame, (score > 0).astype(int), classes=("no", "yes"))
    model = HistGradientBoostingClassifier(max_iter=rounds, random_state=0).fit(frame, table.target)

    def ours() -> Float:
        result = partial_dependence(model, FEATURE, table=table, grid=grid)
        assert result.individual is not None
        return np.vstack([result.average, result.individual])

    def theirs() -> Float:
        result = by_sklearn(
            model, frame, [FEATURE], kind="both", method="brute", grid_resolution=grid, response_method="predict_proba"
        )
        return np.vstack([result["average"], result["individual"][0]])

    size = f"{rows:,} rows × {columns} features, grid of {grid}"
    return TableQuestion("Partial dependence with all lines", size, ours, "scikit-learn", theirs, max_ratio=1.0)
