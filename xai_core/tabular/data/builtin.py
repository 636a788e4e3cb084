"""The tables one can look at without a file of one's own, and the names that everything about tables starts from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from xai_core.registry import Registry
from xai_core.tabular.data import loan as _loan_rule
from xai_core.tabular.data.table import Table, Task, table_from


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
