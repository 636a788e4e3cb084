"""Groups of a column: categories, yes and no, or ranges of numbers with about as many rows each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from xai_core.arrays import Bool, Float64, Int64
from xai_core.errors import InvalidParam
from xai_core.tabular.data.cell_format import format_cell
from xai_core.tabular.data.column import Column
from xai_core.tabular.data.row_encoder import RowEncoder
from xai_core.tabular.data.table import Table

# Categories shown on their own; rarer ones become one group.
MAX_GROUPS = 12
MAX_BINS = 10


def group_membership(table: Table, column: str, rows: Int64, bins: int) -> tuple[list[str], Int64]:
    """Return the names of the groups and the index of each row's group among them, (N,). Empty groups are left out.

    Raises: UnknownName (the column), InvalidParam (the bins).
    """
    if isinstance(bins, bool) or not isinstance(bins, int) or not 2 <= bins <= MAX_BINS:
        allowed = f"a whole number from 2 to {MAX_BINS}"
        raise InvalidParam(f"The number of groups must be {allowed}. Got {str(bins)[:60]!r}.")
    codes = RowEncoder.of(table)
    cells = codes.encode(table.take(rows))[:, codes.column_index(column)]
    groups = [*_iter_groups(table.column(column), cells, bins), ("missing", np.isnan(cells))]
    groups = [(name, flags) for name, flags in groups if flags.any()]
    membership = np.full(len(rows), -1)
    for index, (_, flags) in enumerate(groups):
        membership[flags] = index
    return [name for name, _ in groups], membership


def _iter_groups(column: Column, cells: Float64, bins: int) -> Iterator[tuple[str, Bool]]:
    if column.kind == "category":
        count = MAX_GROUPS if len(column.categories) <= MAX_GROUPS else MAX_GROUPS - 1
        for code, label in enumerate(column.categories[:count]):
            yield label, cells == code
        yield "all others", cells >= count
    elif column.kind == "boolean":
        yield "no", cells == 0
        yield "yes", cells == 1
    else:
        yield from _iter_ranges(column, cells, bins)


def _iter_ranges(column: Column, cells: Float64, bins: int) -> Iterator[tuple[str, Bool]]:
    present = cells[~np.isnan(cells)]
    if not len(present):
        return
    edges = np.unique(np.quantile(present, np.arange(1, bins) / bins, method="lower"))
    # An edge at the maximum would leave the last range empty.
    edges = edges[edges < present.max()]
    bin_of_cell = np.where(np.isnan(cells), -1, np.searchsorted(edges, cells))
    words = [format_cell(column, float(edge)) for edge in edges]
    names = ["all"]
    if words:
        names = [f"up to {words[0]}", *(f"{low} to {high}" for low, high in pairwise(words)), f"over {words[-1]}"]
    for index, name in enumerate(names):
        yield name, bin_of_cell == index
