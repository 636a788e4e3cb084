"""A small table with every kind of column and missing cells, and training parameters that take no time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xai_core.tabular.data.column import Kind
from xai_core.tabular.data.table import Table, table_from
from xai_core.tabular.models.train import TABULAR_MODELS

QUICK = {"trees": 20, "epochs": 40, "bags": 2, "bins": 16, "pairs": 1, "neighbours": 7}


def quick_params(name: str) -> dict[str, object]:
    """Return parameters with which a model trains fast."""
    return {param.name: QUICK[param.name] for param in TABULAR_MODELS.get(name).params if param.name in QUICK}


def mixed_table(task: str = "classification", rows: int = 160, classes: int = 2) -> Table:
    """Loan grants (or limits, for a regression): income and district decide, the other columns are noise."""
    rng = np.random.default_rng(7)
    income = rng.normal(3000, 800, rows)
    district = rng.choice(np.array(["north", "south", "west"], dtype=object), rows)
    merit = (income - 3000) / 800 + 2.0 * (district == "north") + rng.normal(0, 0.3, rows)
    frame = pd.DataFrame(
        {
            "income": np.where(rng.random(rows) < 0.1, np.nan, income),
            "age": rng.integers(18, 80, rows).astype(float),
            "owner": np.where(rng.random(rows) < 0.1, np.nan, rng.integers(0, 2, rows)),
            "since": rng.integers(10_000, 20_000, rows).astype(float),
            "district": np.where(rng.random(rows) < 0.1, np.nan, district),
        }
    )
    frame["district"] = frame["district"].astype(object)
    kinds: dict[str, Kind] = {"owner": "boolean", "since": "date"}
    if task == "regression":
        return table_from(frame, 100 + 10 * merit, kinds=kinds, target_name="limit")
    cuts = np.quantile(merit, np.linspace(0, 1, classes + 1)[1:-1])
    return table_from(
        frame,
        np.digitize(merit, cuts),
        classes=[f"class {i}" for i in range(classes)],
        kinds=kinds,
        target_name="granted",
    )
