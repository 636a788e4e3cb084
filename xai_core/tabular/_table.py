"""A table ready to be learned from: what its columns hold, what is to be predicted, and rows made from a form.

How cells are stored, in `Table.frame` and in everything that is cut from it:

- numeric: float64, NaN where there is no value;
- boolean: float64, 0.0 for no and 1.0 for yes, NaN where there is no value;
- date: float64, days since 1970-01-01 (parts of a day are fractions), NaN where there is no value;
- category: object, a `str` or NaN where there is no value. scikit-learn's imputers and encoders take NaN for missing, and not None.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from xai_core.errors import InvalidTable, UnknownName

Kind = Literal["numeric", "category", "boolean", "date"]
Task = Literal["classification", "regression"]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DAY = timedelta(days=1)
_YES_NO = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0}


@dataclass(frozen=True)
class Column:
    """What one column holds: its kind, its range or its categories, and how many cells have no value."""

    name: str
    kind: Kind
    missing: int
    low: float
    """Smallest value; of a date in days since 1970-01-01; NaN for a category."""
    high: float
    whole: bool
    """Numeric with whole numbers only."""
    categories: tuple[str, ...]
    """The values of a category, most frequent first; () otherwise."""

    def show(self, value: Any) -> str:
        """A cell of this column as a person writes it: 3,200, 0.25, yes, 2024-01-31, or "missing"."""
        if _is_missing(value):
            return "missing"
        if self.kind == "category":
            return str(value)
        if self.kind == "boolean":
            return "yes" if value >= 0.5 else "no"
        return _show_date(float(value)) if self.kind == "date" else _show_number(float(value))

    def parse(self, value: Any) -> float | str:
        """A value from a form as this column stores it, NaN where nothing is given.

        Raises InvalidTable for a category that the table does not have and for text that is not a number or a date.
        """
        if _is_missing(value):
            return math.nan
        if self.kind == "category":
            return self._category(str(value))
        reader = {"numeric": _read_number, "boolean": _read_yes_no, "date": _read_date}[self.kind]
        try:
            number = reader(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            wanted = {"numeric": "a number", "boolean": "yes or no", "date": "a date such as 2024-01-31"}[self.kind]
            raise InvalidTable(f"The column {self.name!r} needs {wanted}. Got {str(value)[:60]!r}.")
        return number

    def _category(self, value: str) -> str:
        if value not in self.categories:
            known = ", ".join(self.categories[:12]) + (", …" if len(self.categories) > 12 else "")
            raise InvalidTable(f"The column {self.name!r} has no value {value[:60]!r}. It has: {known}.")
        return value


def describe(name: str, kind: Kind, values: pd.Series[Any]) -> Column:
    """The record of a column whose cells are stored as this module says."""
    present = values.dropna()
    missing = len(values) - len(present)
    if kind == "category":
        counts = present.value_counts()
        order = sorted(counts.index, key=lambda label: (-int(counts[label]), label))
        return Column(name, kind, missing, math.nan, math.nan, False, tuple(order))
    numbers = present.to_numpy(dtype=np.float64)
    low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (math.nan, math.nan)
    whole = kind == "numeric" and len(numbers) > 0 and bool(np.all(numbers == np.floor(numbers)))
    return Column(name, kind, missing, low, high, whole, ())


@dataclass(frozen=True, eq=False)
class Table:
    """Rows to learn from: features, and the target that a model is to predict."""

    name: str
    title: str
    frame: pd.DataFrame
    """Features only, (N, features), in the order of `columns`; rows are numbered 0 to N − 1. Not to be written into."""
    target: np.ndarray
    """(N,) int64 class index, or float64 for regression; read-only."""
    target_name: str
    task: Task
    classes: tuple[str, ...]
    """Names of the classes in the order of their index; () for regression."""
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    """What was done to the rows, in sentences: sampled, left out, counted as missing."""
    about: str = ""
    protected: str = ""
    """The column that a fairness look starts with, "" if there is none."""

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def sha256(self) -> str:
        """Hash of cells, target and choice of features: equal tables have equal hashes, whatever they are called."""
        return _content_hash(self)

    def column(self, name: str) -> Column:
        """The column of this name. Raises UnknownName with the nearest names."""
        for column in self.columns:
            if column.name == name:
                return column
        raise UnknownName.of("column", name, self.features)

    def split(self, seed: int = 0, held_out: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers to train on and row numbers held out, both ascending, the same for the same seed.

        Of every class the share `held_out` is held out, rounded; a class of a single row is trained on.
        """
        rng = np.random.default_rng(seed)
        groups = [np.flatnonzero(self.target == index) for index in range(len(self.classes))] or [np.arange(len(self))]
        held = np.concatenate([rng.permutation(rows)[: min(round(held_out * len(rows)), len(rows) - 1)] for rows in groups if len(rows)])
        return np.setdiff1d(np.arange(len(self)), held), np.sort(held)

    def take(self, rows: Sequence[int] | np.ndarray) -> pd.DataFrame:
        """These rows of the features, in this order, keeping their row numbers as index."""
        return self.frame.iloc[np.asarray(rows, dtype=np.int64)]

    def row(self, values: Mapping[str, Any]) -> pd.DataFrame:
        """A frame of one row, typed like `frame`, from the values of a form; a column that is not named has no value.

        Raises InvalidTable for a column or category that the table does not have.
        """
        unknown = [name for name in values if name not in self.features]
        if unknown:
            raise InvalidTable(str(UnknownName.of("column", unknown[0], self.features)))
        cells = {column.name: _cells(column, [column.parse(values.get(column.name))]) for column in self.columns}
        return pd.DataFrame(cells)


def table_from(
    frame: pd.DataFrame,
    target: np.ndarray | Sequence[float],
    *,
    classes: Sequence[str] = (),
    kinds: Mapping[str, Kind] | None = None,
    name: str = "table",
    title: str = "",
    target_name: str = "target",
    notes: Iterable[str] = (),
    about: str = "",
    protected: str = "",
) -> Table:
    """A table from a frame that is in memory: `classes` given means classification with class indices as target.

    Numbers make a numeric column, True and False a boolean one, text a category, unless `kinds` says otherwise.
    """
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    known = {column: _kind_of(frame[column]) for column in frame} | dict(kinds or {})
    columns = tuple(describe(column, kind, frame[column]) for column, kind in known.items())
    cells = {column.name: _cells(column, frame[column.name].to_numpy()) for column in columns}
    answers = np.array(target, dtype=np.int64 if classes else np.float64)
    answers.flags.writeable = False
    task: Task = "classification" if classes else "regression"
    return Table(
        name, title or name, pd.DataFrame(cells), answers, target_name, task, tuple(classes), columns, tuple(notes), about, protected
    )


def _kind_of(cells: pd.Series[Any]) -> Kind:
    if pd.api.types.is_bool_dtype(cells):
        return "boolean"
    return "numeric" if pd.api.types.is_numeric_dtype(cells) else "category"


def _cells(column: Column, values: Sequence[Any] | np.ndarray) -> pd.Series[Any]:
    """Cells in the type of their column, under fresh row numbers."""
    cells: pd.Series[Any] = pd.Series(values, dtype=object if column.kind == "category" else np.float64)
    return cells.where(cells.notna(), np.nan) if column.kind == "category" else cells


def _content_hash(table: Table) -> str:
    head = [table.target_name, table.task, table.classes, [(column.name, column.kind) for column in table.columns]]
    digest = hashlib.sha256(json.dumps(head).encode())
    for column in table.columns:
        cells = table.frame[column.name].to_numpy()
        digest.update(json.dumps(cells.tolist()).encode() if column.kind == "category" else np.ascontiguousarray(cells).tobytes())
    digest.update(np.ascontiguousarray(table.target).tobytes())
    return digest.hexdigest()


def _is_missing(value: Any) -> bool:
    """Whether a single value, of a form or of a cell, says nothing."""
    return value is None or value is pd.NaT or (isinstance(value, str) and not value.strip()) or bool(value != value)


def _read_number(value: Any) -> float:
    return float(value)


def _read_yes_no(value: Any) -> float:
    known = _YES_NO.get(str(value).strip().lower().removesuffix(".0"))
    if known is None:
        raise ValueError("neither yes nor no")
    return known


def _read_date(value: Any) -> float:
    """Days since 1970-01-01 of a date, a moment, a text in ISO form, or a number that counts the days already."""
    if isinstance(value, (int, float, np.number)):
        return float(value)
    moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=timezone.utc)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return float((moment - _EPOCH) / _DAY)


def _show_number(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.3g}"


def _show_date(days: float) -> str:
    try:
        moment = _EPOCH + timedelta(days=days)
    except OverflowError:
        return f"day {days:g}"
    return moment.date().isoformat() if days == int(days) else moment.strftime("%Y-%m-%d %H:%M")
