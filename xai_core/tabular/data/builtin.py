"""The tables one can look at without a file of one's own, and the names that everything about tables starts from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from xai_core.registry import Registry
from xai_core.tabular.data import loan as _loan_rule
from xai_core.tabular.data.column import Column, Kind, describe
from xai_core.tabular.data.loan import loan_log_odds, loan_truth
from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.data.table import Table, Task, table_from
from xai_core.tabular.reading.read import read_table

__all__ = [
    "TABLES",
    "Column",
    "Kind",
    "RawTable",
    "Table",
    "TableSpec",
    "Task",
    "describe",
    "load_table",
    "loan_log_odds",
    "loan_truth",
    "read_table",
    "spread",
    "table_from",
]

BARS = 30
_HALVES = 2.0**52
"""Below this a number of 64 bits has room for a half."""


@dataclass(frozen=True)
class TableSpec:
    """A built-in table: what it is called, what is in it, and how to get it."""

    name: str
    title: str
    task: Task
    target_name: str
    about: str
    source: Callable[[TableSpec], Table]
    protected: str = ""

    def load(self) -> Table:
        """A new copy of the table; `load_table` gives the one that everybody shares."""
        return self.source(self)


TABLES: Registry[TableSpec] = Registry("table")
_LOADING = threading.Lock()


def load_table(name: str) -> Table:
    """A built-in table by its name in TABLES; the same object every time. Raises UnknownName with the nearest names."""
    spec = TABLES.get(name)
    with _LOADING:
        return _loaded(spec)


@cache
def _loaded(spec: TableSpec) -> Table:
    return spec.load()


def _made(spec: TableSpec, frame: pd.DataFrame, target: np.ndarray, **more: Any) -> Table:
    return table_from(
        frame,
        target,
        name=spec.name,
        title=spec.title,
        target_name=spec.target_name,
        about=spec.about,
        protected=spec.protected,
        **more,
    )


def _from_sklearn(name: str) -> Any:
    """scikit-learn's own copy of a table, in the units it was measured in: no network."""
    from sklearn import datasets

    load = getattr(datasets, f"load_{name}")
    return load(as_frame=True, scaled=False) if name == "diabetes" else load(as_frame=True)


def _classes(spec: TableSpec) -> Table:
    bunch = _from_sklearn(spec.name)
    frame = bunch.data.rename(columns=lambda column: column.replace("_", " "))
    return _made(
        spec, frame, bunch.target.to_numpy(), classes=[str(label).replace("_", " ") for label in bunch.target_names]
    )


_DIABETES_NAMES = {
    "bmi": "body mass index",
    "bp": "blood pressure",
    "s1": "total cholesterol",
    "s2": "LDL cholesterol",
    "s3": "HDL cholesterol",
    "s4": "cholesterol ratio",
    "s5": "log of triglycerides",
    "s6": "blood sugar",
}


def _diabetes(spec: TableSpec) -> Table:
    bunch = _from_sklearn(spec.name)
    sexes = pd.Series(["group 1" if code == 1 else "group 2" for code in bunch.data["sex"]], dtype=object)
    return _made(spec, bunch.data.assign(sex=sexes).rename(columns=_DIABETES_NAMES), bunch.target.to_numpy())


def _loan(spec: TableSpec) -> Table:
    frame = _loan_rule.loan_frame()
    return _made(
        spec, frame, _loan_rule.loan_decisions(frame), classes=("refused", "approved"), kinds={"owns home": "boolean"}
    )


TABLES.add(
    TableSpec(
        "iris",
        "Iris flowers",
        "classification",
        "species",
        "150 iris flowers of three kinds, with the length and width of two sorts of leaf (Fisher, 1936). The smallest table to start with.",
        _classes,
    )
)
TABLES.add(
    TableSpec(
        "wine",
        "Wines",
        "classification",
        "grower",
        "178 wines of three growers in one Italian region, with 13 chemical measurements (Forina and others, 1988).",
        _classes,
    )
)
TABLES.add(
    TableSpec(
        "breast_cancer",
        "Breast cancer cells",
        "classification",
        "diagnosis",
        "569 samples of breast tissue, malignant (dangerous) or benign (harmless), with 30 measurements of the cell nuclei in a picture "
        "(Wolberg, Street and Mangasarian, 1993). Many of the measurements say nearly the same, which makes explanations harder.",
        _classes,
    )
)
TABLES.add(
    TableSpec(
        "diabetes",
        "Diabetes after one year",
        "regression",
        "progression",
        "442 people with diabetes: age, sex, body and blood measurements, and a number for how far the illness had come one year later "
        "(Efron and others, 2004). The source does not say which sex is which, so they are called group 1 and group 2.",
        _diabetes,
        protected="sex",
    )
)
TABLES.add(
    TableSpec("loan", _loan_rule.TITLE, "classification", "decision", _loan_rule.ABOUT, _loan, protected="group")
)


def spread(values: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """How numbers (N,) are spread: edges (B + 1,) of at most 30 bars and how many lie between them (B,).

    Bars of whole numbers hold equally many of them, the last one perhaps fewer: with bars of equal width some would hold two and some
    three, and look like a pattern in the data.
    """
    numbers = np.asarray(values, dtype=np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    largest = max(abs(low), abs(high))
    finest = float(np.spacing(largest))
    # Numbers of 18 digits lie apart.
    bins: int | npt.NDArray[np.float64] = int(min(max((high - low) / (2 * finest), 1), BARS))
    if low == high:
        bins = np.array([low, high]) + max(finest, 0.5) * np.array([-1, 1])
    elif largest < _HALVES and (numbers == np.round(numbers)).all():
        bins = np.append(np.arange(low, high + 1, np.ceil((high - low + 1) / BARS)), high + 1) - 0.5
    counts, edges = np.histogram(numbers, bins=bins)
    return edges, counts.astype(np.int64)
