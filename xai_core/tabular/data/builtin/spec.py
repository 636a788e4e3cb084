"""Registry of the built-in tables, and loading one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from xai_core.registry import Registry
from xai_core.tabular.data.table import Table, Task, table_from


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """A built-in table: words for the page, and its builder."""

    name: str
    title: str
    task: Task
    target_name: str
    about: str
    """Content and source, in sentences for a visitor."""
    rank: int
    """Place in lists: easy tables come first."""
    protected: str = ""
    """The column that the fairness page starts with, "" if there is none."""
    build: Callable[[TableSpec], Table]

    def to_table(self, frame: pd.DataFrame, target: np.ndarray, **options: Any) -> Table:
        """Return features and target as a table with this spec's words; options are those of `table_from`."""
        return table_from(
            frame,
            target,
            name=self.name,
            title=self.title,
            target_name=self.target_name,
            about=self.about,
            protected=self.protected,
            **options,
        )


TABLES: Registry[TableSpec] = Registry("table", order=lambda spec: spec.rank)
_LOADING = threading.Lock()


def load_table(name: str) -> Table:
    """Return a built-in table by its name in TABLES; the same object every time.

    Raises:
        UnknownName: no such table, with the nearest names.

    >>> load_table("loan").classes
    ('refused', 'approved')
    """
    spec = TABLES.get(name)
    # Without the lock two threads would build two objects, and what is cached per table would be computed twice.
    with _LOADING:
        return _build_table(spec)


@cache
def _build_table(spec: TableSpec) -> Table:
    return spec.build(spec)


def load_sklearn(name: str, **options: Any) -> Any:
    """Return scikit-learn's own copy of a table as a bunch of data frames; no network is used."""
    from sklearn import datasets

    return getattr(datasets, f"load_{name}")(as_frame=True, **options)


def build_sklearn_classes(spec: TableSpec) -> Table:
    """Build a classification table of scikit-learn that has the spec's name."""
    bunch = load_sklearn(spec.name)
    frame = bunch.data.rename(columns=lambda column: column.replace("_", " "))
    classes = [str(label).replace("_", " ") for label in bunch.target_names]
    return spec.to_table(frame, bunch.target.to_numpy(), classes=classes)
