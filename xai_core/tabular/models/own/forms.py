"""A table's cells in the form in which an own model was trained on them: as pandas.read_csv reads the same file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xai_core.arrays import Bool, Float64, Int64
from xai_core.errors import InvalidTable
from xai_core.tabular.data.column import Column

# Largest difference between two readings of one decimal number, as a share of it.
ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class ColumnForms:
    """The form of each value that a table's column holds."""

    column: Column
    stored: np.ndarray | None = None
    """(D,) ascending and without NaN; None where the model takes all values as the table stores them."""
    forms: np.ndarray | None = None
    """(D,)."""
    empty: Any = np.nan
    """The form of an empty cell."""
    reason: str = ""
    """Reason for which only values of the file have a form, as the end of a sentence."""

    def convert(self, frame: pd.DataFrame) -> np.ndarray | pd.Series[Any]:
        """Return the column's cells in the model's form, (N,), from rows of the table.

        Raises:
            InvalidTable: a value that is in no row, with what to do.
        """
        cells = frame[self.column.name]
        if self.stored is None or self.forms is None:
            return cells
        is_empty = cells.isna().to_numpy()
        positions, is_known = find_positions(self.stored, cells)
        self._check_known(cells, is_known | is_empty)
        forms: np.ndarray = (
            self.forms[np.where(is_empty, 0, positions)] if len(self.forms) else np.full(len(cells), np.nan)
        )
        if is_empty.any():
            is_number = forms.dtype.kind in "iuf" and isinstance(self.empty, float)
            forms = forms.astype(np.float64 if is_number else object)
            forms[is_empty] = self.empty
        # As a series of objects: of a bare array pandas makes its own text type.
        return pd.Series(forms, index=cells.index, dtype=object) if forms.dtype == object else forms

    def _check_known(self, cells: pd.Series[Any], is_known: Bool) -> None:
        if not is_known.all():
            value = self.column.show(cells[~is_known].iloc[0])
            raise InvalidTable(
                f"Your model cannot be asked about {value} for {self.column.name!r}: no row of the file has that "
                f'value, and {self.reason}. Choose "category" as the kind of this column: then only values of the '
                "file are tried."
            )


@dataclass(frozen=True)
class ConstantForm:
    """The form of a column that says the same in every row of the file, and is no feature of the table."""

    form: Any

    def convert(self, frame: pd.DataFrame) -> pd.Series[Any]:
        """Return the form once for each row, (N,)."""
        is_number = isinstance(self.form, (int, float)) and not isinstance(self.form, bool)
        return pd.Series([self.form] * len(frame), index=frame.index, dtype=np.float64 if is_number else object)


def find_positions(stored: np.ndarray, cells: pd.Series[Any]) -> tuple[Int64, Bool]:
    """Return the place of each cell, (N,), among ascending distinct values, and where it is one of them."""
    if stored.dtype == object:
        positions = pd.Index(stored, dtype=object).get_indexer(cells.astype(object)).astype(np.int64)
        return positions, positions >= 0
    numbers = cells.to_numpy(dtype=np.float64)
    positions = np.minimum(np.searchsorted(stored, numbers), max(len(stored) - 1, 0)).astype(np.int64)
    is_known = stored[positions] == numbers if len(stored) else np.zeros(len(numbers), dtype=bool)
    return positions, is_known


def same_numbers(first: Float64, second: Float64) -> bool:
    """Return whether two columns hold the same numbers but for the last digits, and are empty in the same places."""
    with np.errstate(invalid="ignore"):
        is_close = np.abs(first - second) <= ROUNDING * np.abs(second)
    return bool(np.all(is_close | (np.isnan(first) & np.isnan(second))))


def group_texts(stored: np.ndarray) -> tuple[np.ndarray, Int64]:
    """Return the distinct stored values, (D,), and the place of each text's value among them; D for an empty one."""
    is_empty = pd.isna(stored)
    distinct, index = np.unique(stored[~is_empty], return_inverse=True)
    groups = np.full(len(stored), len(distinct), dtype=np.int64)
    groups[~is_empty] = index
    return distinct, groups


def to_numbers(forms: np.ndarray) -> Float64 | None:
    """Return forms as numbers, True as 1; None where one is a text."""
    if forms.dtype != object:
        return forms.astype(np.float64)
    if any(isinstance(form, str) for form in forms):
        return None
    return forms.astype(np.float64)


def show_values(values: Sequence[Any], limit: int = 3) -> str:
    """Return values as a list in words: 'a', 'b', …."""
    shown = ", ".join(repr(value)[:40] for value in values[:limit])
    return f"{shown}, …" if len(values) > limit else shown
