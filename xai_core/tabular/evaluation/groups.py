"""The groups of a column: categories, yes and no, or ranges of numbers with about as many rows each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64
from xai_core.errors import InvalidParam
from xai_core.tabular.data.cell_format import format_cell
from xai_core.tabular.data.column import Column
from xai_core.tabular.data.row_encoder import RowEncoder
from xai_core.tabular.data.table import Table

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
MOST_GROUPS = 12
"""Categories shown on their own; rarer ones become one group."""
MOST_BINS = 10


def members(table: Table, column: str, rows: Rows, bins: int) -> tuple[list[str], Rows]:
    """Names of the groups, and the place of each row's group among them, (N,). Empty groups are left out."""
    if isinstance(bins, bool) or not isinstance(bins, int) or not 2 <= bins <= MOST_BINS:
        raise InvalidParam(
            f"The number of groups must be a whole number from 2 to {MOST_BINS}. Got {str(bins)[:60]!r}."
        )
    codes = RowEncoder.of(table)
    place = codes.column_index(column)
    cells = codes.encode(table.take(rows))[:, place]
    found = list(_pieces(table.column(column), cells, bins))
    missing = np.isnan(cells)
    pieces = [(name, flags) for name, flags in [*found, ("missing", missing)] if flags.any()]
    member = np.full(len(rows), -1)
    for number, (_, flags) in enumerate(pieces):
        member[flags] = number
    return [name for name, _ in pieces], member


def _pieces(column: Column, cells: Float64, bins: int) -> Iterator[tuple[str, Flags]]:
    if column.kind == "category":
        most = MOST_GROUPS if len(column.categories) <= MOST_GROUPS else MOST_GROUPS - 1
        for code, label in enumerate(column.categories[:most]):
            yield label, cells == code
        yield "all others", cells >= most
    elif column.kind == "boolean":
        yield "no", cells == 0
        yield "yes", cells == 1
    else:
        yield from _ranges(column, cells, bins)


def _ranges(column: Column, cells: Float64, bins: int) -> Iterator[tuple[str, Flags]]:
    present = cells[~np.isnan(cells)]
    if not len(present):
        return
    edges = np.unique(np.quantile(present, np.arange(1, bins) / bins, method="lower"))
    edges = edges[edges < present.max()]
    words = [format_cell(column, float(edge)) for edge in edges]
    bin_of = np.where(np.isnan(cells), -1, np.searchsorted(edges, cells))
    names = (
        [f"up to {words[0]}", *(f"{a} to {b}" for a, b in pairwise(words)), f"over {words[-1]}"] if words else ["all"]
    )
    for number, name in enumerate(names):
        yield name, bin_of == number
