"""Files with given cells in one column, for tests of how cells are read."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import pandas as pd

from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.reading.read import read_table


def write_csv(columns: Mapping[str, Sequence[str]], delimiter: str = ",") -> bytes:
    """Return a CSV file with a row for each cell of the first column; others are repeated or cut."""
    rows = len(next(iter(columns.values())))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(columns)
    writer.writerows([cells[row % len(cells)] for cells in columns.values()] for row in range(rows))
    return out.getvalue().encode()


def read_cells(
    cells: Sequence[str], delimiter: str = ";", name: str = "x", beside: Mapping[str, Sequence[str]] | None = None
) -> tuple[RawTable, pd.Series]:
    """Return the table of a file with these cells in one column, and that column."""
    others = beside or {"beside": ["u", "v", "w"]}
    raw = read_table(write_csv({name: cells, **others}, delimiter))
    return raw, raw.frame[name]
