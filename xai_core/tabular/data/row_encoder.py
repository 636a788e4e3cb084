"""Rows of a table as plain numbers, so that cells can be drawn, mixed and measured in whole arrays.

A category becomes its place among its column's categories, a missing cell NaN; numbers, booleans (0 and 1) and dates (days) stay.
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
MAX_BATCH_ROWS, MAX_BATCH_CELLS = 8192, 2_000_000
"""Rows and cells asked of a model at once: enough to make the calls cheap, few enough to stop soon and to fit in memory."""


@dataclass(frozen=True, eq=False)
class RowEncoder:
    """The way from a table's data frames to matrices (N, features) of float64 and back."""

    columns: tuple[Column, ...]

    @classmethod
    def of(cls, table: Table) -> RowEncoder:
        return cls(table.columns)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column_index(self, name: str) -> int:
        """Where this column stands. Raises UnknownName."""
        if name not in self.names:
            raise UnknownName.of("column", name, self.names)
        return self.names.index(name)

    def encode(self, frame: pd.DataFrame) -> Float64:
        """(N, features). Raises InvalidTable for missing columns and UnknownName for a category that the table does not know."""
        absent = [name for name in self.names if name not in frame]
        if absent:
            raise InvalidTable(f"These rows need a column for each feature. Missing: {', '.join(absent[:5])}.")
        return np.column_stack([_coded(column, frame[column.name]) for column in self.columns])

    def encode_row(self, row: pd.DataFrame) -> Float64:
        """The only row of a frame, (features,). Raises InvalidTable where there are none or several."""
        if len(row) != 1:
            raise InvalidTable(f"One row can be explained at a time. Got {len(row)} rows.")
        first: Float64 = self.encode(row)[0]
        return first

    def decode(self, matrix: Float64) -> pd.DataFrame:
        """A frame of N rows such as the table's own."""
        return pd.DataFrame(
            {column.name: _cells(column, matrix[:, place]) for place, column in enumerate(self.columns)}
        )

    def decode_cell(self, place: int, code: float) -> str | float | None:
        """One coded cell as the table holds it; None where there is no value."""
        if np.isnan(code):
            return None
        column = self.columns[place]
        return column.categories[int(code)] if column.kind == "category" else float(code)

    def scores(self, score: Score, matrix: Float64, job: Job[object]) -> Float64:
        """What the model says to coded rows (N, features): (N, …), asked in batches that are counted."""
        return score_batches(lambda part: score(self.decode(part)), matrix, self.batch_size, job)

    @property
    def batch_size(self) -> int:
        """Rows asked of a model at once."""
        return max(1, min(MAX_BATCH_ROWS, MAX_BATCH_CELLS // len(self.columns)))


def score_batches(ask: Callable[[Float64], Float64], rows: Float64, size: int, job: Job[object]) -> Float64:
    """What a model says to rows (N, columns): (N, …), asked so many at a time; counted, and stopped on request."""
    parts = []
    for start in range(0, len(rows), size):
        parts.append(np.asarray(ask(rows[start : start + size]), dtype=np.float64))
        job.tick(len(parts[-1]))
    return np.concatenate(parts)


def _coded(column: Column, cells: pd.Series[Any]) -> Float64:
    if column.kind != "category":
        return np.asarray(cells, dtype=np.float64)
    places = np.asarray(pd.Index(column.categories, dtype=object).get_indexer(cells.astype(object)), dtype=np.float64)
    known, missing = places >= 0, cells.isna().to_numpy()
    if not (known | missing).all():
        raise UnknownName.of(f"value of {column.name}", cells[~(known | missing)].iloc[0], column.categories)
    return np.where(missing, np.nan, places)


def _cells(column: Column, codes: Float64) -> Float64 | pd.Series[Any]:
    if column.kind != "category":
        return codes
    labels = np.array([*column.categories, np.nan], dtype=object)
    # Or pandas makes it its own text type.
    return pd.Series(labels[np.where(np.isnan(codes), -1, codes).astype(np.int64)], dtype=object)
