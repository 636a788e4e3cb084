"""Rows of a table as matrices of numbers, so that cells can be drawn, mixed and compared in whole arrays.

A category becomes its index among its column's categories, a missing cell NaN; numbers, booleans (0 and 1) and dates
(days) stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from xai_core.arrays import Float64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidTable, UnknownName
from xai_core.tabular.data.column import Column
from xai_core.tabular.data.table import Table

Score = Callable[[pd.DataFrame], Float64]
# Rows given to a model at once: enough to make the calls cheap, few enough to stop soon.
MAX_BATCH_ROWS = 8192
# Cells given to a model at once: they must fit in memory.
MAX_BATCH_CELLS = 2_000_000


@dataclass(frozen=True, eq=False)
class RowEncoder:
    """Converts a table's data frames to matrices (N, features) of float64 and back."""

    columns: tuple[Column, ...]

    @classmethod
    def of(cls, table: Table) -> RowEncoder:
        return cls(table.columns)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column_index(self, name: str) -> int:
        """Return the position of a column.

        Raises:
            UnknownName: no such column, with the nearest names.
        """
        if name not in self.names:
            raise UnknownName.of("column", name, self.names)
        return self.names.index(name)

    def encode(self, frame: pd.DataFrame) -> Float64:
        """Return the rows of a frame as numbers, (N, features).

        Raises:
            InvalidTable: columns are missing.
            UnknownName: a category that the table does not have.
        """
        absent = [name for name in self.names if name not in frame]
        if absent:
            raise InvalidTable(f"These rows need a column for each feature. Missing: {', '.join(absent[:5])}.")
        return np.column_stack([_encode_column(column, frame[column.name]) for column in self.columns])

    def encode_row(self, row: pd.DataFrame) -> Float64:
        """Return the only row of a frame as numbers, (features,).

        Raises:
            InvalidTable: there are no rows or several, or columns are missing.
            UnknownName: a category that the table does not have.
        """
        if len(row) != 1:
            raise InvalidTable(f"One row can be explained at a time. Got {len(row)} rows.")
        encoded: Float64 = self.encode(row)[0]
        return encoded

    def decode(self, matrix: Float64) -> pd.DataFrame:
        """Return numbers (N, features) as a frame of N rows typed like `Table.frame`."""
        return pd.DataFrame(
            {column.name: _decode_column(column, matrix[:, index]) for index, column in enumerate(self.columns)}
        )

    def decode_cell(self, index: int, code: float) -> str | float | None:
        """Return one number as the cell of the column at this index; None where there is no value."""
        if np.isnan(code):
            return None
        column = self.columns[index]
        return column.categories[int(code)] if column.kind == "category" else float(code)

    def scores(self, score: Score, matrix: Float64, job: Job[object]) -> Float64:
        """Return the model's scores of encoded rows (N, features), (N, …), in batches that the job counts."""
        return score_batches(lambda rows: score(self.decode(rows)), matrix, self.batch_size, job)

    @property
    def batch_size(self) -> int:
        """Rows given to a model at once."""
        return max(1, min(MAX_BATCH_ROWS, MAX_BATCH_CELLS // len(self.columns)))


def score_batches(score: Callable[[Float64], Float64], rows: Float64, size: int, job: Job[object]) -> Float64:
    """Return the scores of rows (N, columns), (N, …), computed `size` rows at a time.

    Raises:
        Cancelled: the job was cancelled between two batches.
    """
    batches = []
    for start in range(0, len(rows), size):
        batches.append(np.asarray(score(rows[start : start + size]), dtype=np.float64))
        job.tick(len(batches[-1]))
    return np.concatenate(batches)


def _encode_column(column: Column, cells: pd.Series[Any]) -> Float64:
    if column.kind != "category":
        return np.asarray(cells, dtype=np.float64)
    codes = np.asarray(pd.Index(column.categories, dtype=object).get_indexer(cells.astype(object)), dtype=np.float64)
    is_known, is_missing = codes >= 0, cells.isna().to_numpy()
    is_unknown = ~(is_known | is_missing)
    if is_unknown.any():
        raise UnknownName.of(f"value of {column.name}", cells[is_unknown].iloc[0], column.categories)
    return np.where(is_missing, np.nan, codes)


def _decode_column(column: Column, codes: Float64) -> Float64 | pd.Series[Any]:
    if column.kind != "category":
        return codes
    labels = np.array([*column.categories, np.nan], dtype=object)
    # As a series of objects: of a bare array pandas makes its own text type.
    return pd.Series(labels[np.where(np.isnan(codes), -1, codes).astype(np.int64)], dtype=object)
