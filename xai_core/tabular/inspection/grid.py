"""Where an effect is asked: grid values of a feature, how its data lie around them, and where no data lie at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.tabular.data.histogram import histogram
from xai_core.tabular.data.table import Table

PERCENTILES = (0.05, 0.95)
"""The grid leaves out the outermost values, as scikit-learn's does: a few extreme rows would stretch it over empty space."""
MOST_GRID = 200


@dataclass(frozen=True, eq=False)
class Distribution:
    """How often each value occurs: `counts` (B,) between `edges` (B + 1,), or one a category where `edges` (B,) are names."""

    edges: npt.NDArray[Any]
    counts: Int64


def is_category(table: Table, feature: str) -> bool:
    return table.column(feature).kind == "category"


def values_of(table: Table, feature: str, rows: Int64 | None = None) -> npt.NDArray[Any]:
    """The feature's cells that have a value: float64, or text for a category. Raises NotApplicable where there are none."""
    cells = table.frame[table.check_feature(feature)]
    cells = (cells if rows is None else cells.iloc[rows]).dropna()
    if not len(cells):
        raise NotApplicable(f"The column {feature!r} has no values to vary.")
    values: npt.NDArray[Any] = cells.to_numpy(dtype=object if is_category(table, feature) else np.float64)
    return values


def grid_of(
    table: Table, feature: str, size: int, rows: Int64 | None = None
) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Values at which to ask, (G,) with G <= size, ascending, and what is to be said about them.

    Every value that occurs if these are fewer than `size`, else evenly spaced ones between the 5th and the 95th percentile: the grid
    of scikit-learn's `partial_dependence`. Of a category its `size` most frequent values, by the alphabet.
    """
    if isinstance(size, bool) or not 2 <= size <= MOST_GRID:
        raise InvalidParam(f"The grid must have from 2 to {MOST_GRID} points. Got {size!r}.")
    values = values_of(table, feature, rows)
    distinct, counts = np.unique(values, return_counts=True)
    if is_category(table, feature):
        return _frequent(distinct, counts, size)
    if len(distinct) < size:
        return distinct, ()
    return _even(values, size)


def _frequent(names: npt.NDArray[Any], counts: Int64, size: int) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    if len(names) <= size:
        return names, ()
    kept = np.sort(np.argsort(-counts, kind="stable")[:size])
    return names[kept], (f"Only the {size} most frequent of {len(names):,} categories are shown.",)


def _even(values: Float64, size: int) -> tuple[Float64, tuple[str, ...]]:
    from scipy.stats.mstats import mquantiles

    low, high = (float(each) for each in mquantiles(values, prob=PERCENTILES))
    if np.allclose(low, high):  # nearly all rows share one value: scikit-learn refuses here
        whole = np.linspace(values.min(), values.max(), size)
        return whole, ("Nearly all rows have the same value here, so the grid reaches over rare values too.",)
    return np.linspace(low, high, size), ()


def distribution_of(table: Table, feature: str, rows: Int64 | None = None) -> Distribution:
    """How the feature's values are spread, for the strip under the axis."""
    values = values_of(table, feature, rows)
    if is_category(table, feature):
        return Distribution(*np.unique(values, return_counts=True))
    return Distribution(*histogram(values))


def empty_at(grid: npt.NDArray[Any], values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """(G,) True where no row's value lies within one step of the grid, that is where the model was never seen at work."""
    if grid.dtype == object or len(grid) < 2:
        return ~np.isin(grid, values)
    ordered = np.sort(values)
    reach = (grid[-1] - grid[0]) / (len(grid) - 1)
    first = np.searchsorted(ordered, grid - reach, side="left")
    last = np.searchsorted(ordered, grid + reach, side="right")
    found: npt.NDArray[np.bool_] = last == first
    return found


def rows_asked(table: Table, rows: Any) -> Int64:
    """The table's rows an explanation speaks about: the given numbers, or all. Raises InvalidParam."""
    count = len(table.frame)
    if rows is None:
        return np.arange(count)
    chosen = np.asarray(rows)
    if (
        chosen.ndim != 1
        or not len(chosen)
        or chosen.dtype.kind not in "iu"
        or chosen.min() < 0
        or chosen.max() >= count
    ):
        raise InvalidParam(f"Int64 must be whole numbers from 0 to {count - 1}, at least one. Got {str(rows)[:60]!r}.")
    return chosen.astype(np.int64)


def sampled(rows: Int64, size: int | None, seed: int) -> Int64:
    """At most `size` of the rows, drawn without replacement, in their order; all where size is None."""
    if size is None or size >= len(rows):
        return rows
    if size < 1:
        raise InvalidParam(f"A sample must have at least 1 row. Got {size!r}.")
    return np.sort(np.random.default_rng(seed).choice(rows, size, replace=False))
