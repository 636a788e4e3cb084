"""Rows of a table as plain numbers, so that cells can be drawn, mixed and measured in whole arrays.

A category becomes its place among its column's categories, a missing cell NaN; numbers, booleans (0 and 1) and dates (days) stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from xai_core.engine.jobs import Job
from xai_core.errors import InvalidTable, UnknownName
from xai_core.tabular.data.builtin import Column, Table

Doubles = npt.NDArray[np.float64]
Score = Callable[[pd.DataFrame], Doubles]
BATCH, CELLS = 8192, 2_000_000
"""Rows and cells asked of a model at once: enough to make the calls cheap, few enough to stop soon and to fit in memory."""


@dataclass(frozen=True, eq=False)
class Codes:
    """The way from a table's data frames to matrices (N, features) of float64 and back."""

    columns: tuple[Column, ...]

    @classmethod
    def of(cls, table: Table) -> Codes:
        return cls(table.columns)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def place(self, name: str) -> int:
        """Where this column stands. Raises UnknownName."""
        if name not in self.names:
            raise UnknownName.of("column", name, self.names)
        return self.names.index(name)

    def encode(self, frame: pd.DataFrame) -> Doubles:
        """(N, features). Raises InvalidTable for missing columns and UnknownName for a category that the table does not know."""
        absent = [name for name in self.names if name not in frame]
        if absent:
            raise InvalidTable(f"These rows need a column for each feature. Missing: {', '.join(absent[:5])}.")
        return np.column_stack([_coded(column, frame[column.name]) for column in self.columns])

    def one(self, row: pd.DataFrame) -> Doubles:
        """The only row of a frame, (features,). Raises InvalidTable where there are none or several."""
        if len(row) != 1:
            raise InvalidTable(f"One row can be explained at a time. Got {len(row)} rows.")
        first: Doubles = self.encode(row)[0]
        return first

    def decode(self, matrix: Doubles) -> pd.DataFrame:
        """A frame of N rows such as the table's own."""
        return pd.DataFrame(
            {column.name: _cells(column, matrix[:, place]) for place, column in enumerate(self.columns)}
        )

    def cell(self, place: int, code: float) -> str | float | None:
        """One coded cell as the table holds it; None where there is no value."""
        if np.isnan(code):
            return None
        column = self.columns[place]
        return column.categories[int(code)] if column.kind == "category" else float(code)

    def scores(self, score: Score, matrix: Doubles, job: Job[object]) -> Doubles:
        """What the model says to coded rows (N, features): (N, …), asked in batches that are counted."""
        return in_batches(lambda part: score(self.decode(part)), matrix, self.batch, job)

    @property
    def batch(self) -> int:
        """Rows asked of a model at once."""
        return max(1, min(BATCH, CELLS // len(self.columns)))


def in_batches(ask: Callable[[Doubles], Doubles], rows: Doubles, size: int, job: Job[object]) -> Doubles:
    """What a model says to rows (N, columns): (N, …), asked so many at a time; counted, and stopped on request."""
    parts = []
    for start in range(0, len(rows), size):
        parts.append(np.asarray(ask(rows[start : start + size]), dtype=np.float64))
        job.tick(len(parts[-1]))
    return np.concatenate(parts)


def _coded(column: Column, cells: pd.Series[Any]) -> Doubles:
    if column.kind != "category":
        return np.asarray(cells, dtype=np.float64)
    places = np.asarray(pd.Index(column.categories, dtype=object).get_indexer(cells.astype(object)), dtype=np.float64)
    known, missing = places >= 0, cells.isna().to_numpy()
    if not (known | missing).all():
        raise UnknownName.of(f"value of {column.name}", cells[~(known | missing)].iloc[0], column.categories)
    return np.where(missing, np.nan, places)


def _cells(column: Column, codes: Doubles) -> Doubles | pd.Series[Any]:
    if column.kind != "category":
        return codes
    labels = np.array([*column.categories, np.nan], dtype=object)
    # Or pandas makes it its own text type.
    return pd.Series(labels[np.where(np.isnan(codes), -1, codes).astype(np.int64)], dtype=object)
