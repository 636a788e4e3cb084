"""Grid of a feature's values at which an effect is computed, and the data around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Bool, Float64, Int64
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.tabular.data.histogram import histogram
from xai_core.tabular.data.table import Table

# The grid leaves out the outermost values, as scikit-learn's does: a few extreme rows would stretch it.
PERCENTILES = (0.05, 0.95)
MAX_POINTS = 200


@dataclass(frozen=True, eq=False)
class Distribution:
    """Histogram of a feature: `counts` (B,) between `edges` (B + 1,), or of categories, named by `edges` (B,)."""

    edges: npt.NDArray[Any]
    counts: Int64

    @classmethod
    def of(cls, values: npt.NDArray[Any]) -> Distribution:
        """Count the values of one feature: float64, or text for a category."""
        return cls(*(np.unique(values, return_counts=True) if values.dtype == object else histogram(values)))


@dataclass(frozen=True, eq=False)
class FeatureGrid:
    """Values of one feature at which the model is asked."""

    points: npt.NDArray[Any]
    """(G,) ascending: float64, or names of categories."""
    empty: Bool
    """(G,) True where no row's value lies within one step of the grid."""
    distribution: Distribution
    notes: tuple[str, ...]


def read_values(table: Table, feature: str, rows: Int64) -> npt.NDArray[Any]:
    """Return the cells of a feature that have a value, float64, or text for a category.

    Raises: NotApplicable (there are none).
    """
    cells = table.frame[table.check_feature(feature)].iloc[rows].dropna()
    if not len(cells):
        raise NotApplicable(f"The column {feature!r} has no values to vary.")
    values: npt.NDArray[Any] = cells.to_numpy()
    return values


def build_grid(table: Table, feature: str, size: int, rows: Int64) -> FeatureGrid:
    """Return a grid of at most `size` values over the given rows, as in scikit-learn's `partial_dependence`.

    Every value that occurs if these are fewer than `size`, else evenly spaced ones between the 5th and the 95th
    percentile. Of a category its `size` most frequent values, in rising or natural order.

    Raises: InvalidParam (a size out of bounds), NotApplicable (the column has no values).
    """
    if isinstance(size, bool) or not 2 <= size <= MAX_POINTS:
        raise InvalidParam(f"The grid must have from 2 to {MAX_POINTS} points. Got {size!r}.")
    values = read_values(table, feature, rows)
    points, counts = count_values(table, feature, values)
    notes: tuple[str, ...] = ()
    if values.dtype == object:
        if len(points) > size:
            notes = (f"Only the {size} most frequent of {len(points):,} categories are shown.",)
            # The most frequent first; then back to their order.
            points = points[np.sort(np.argsort(-counts, kind="stable")[:size])]
    elif len(points) >= size:
        points, notes = _space_evenly(values, size)
    return FeatureGrid(points, _find_empty(points, values), Distribution.of(values), notes)


def count_values(table: Table, feature: str, values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Int64]:
    """Return the distinct values of a feature, ascending, and how many rows have each, (V,)."""
    points, counts = np.unique(values, return_counts=True)
    if values.dtype == object:
        place = {label: index for index, label in enumerate(points)}
        order = [place[label] for label in table.column(feature).sort_labels(points)]
        points, counts = points[order], counts[order]
    return points, counts


def _space_evenly(values: Float64, size: int) -> tuple[Float64, tuple[str, ...]]:
    from scipy.stats.mstats import mquantiles

    low, high = (float(end) for end in mquantiles(values, prob=PERCENTILES))
    # Nearly all rows share one value: scikit-learn refuses here.
    if np.allclose(low, high):
        note = "Nearly all rows have the same value here, so the grid reaches over rare values too."
        return np.linspace(values.min(), values.max(), size), (note,)
    return np.linspace(low, high, size), ()


def _find_empty(points: npt.NDArray[Any], values: npt.NDArray[Any]) -> Bool:
    """Return (G,) True where no value lies within one step, that is where the model was never seen at work."""
    if points.dtype == object or len(points) < 2:
        return ~np.isin(points, values)
    # Count the values within one step by two binary searches.
    ordered = np.sort(values)
    step = (points[-1] - points[0]) / (len(points) - 1)
    first = np.searchsorted(ordered, points - step, side="left")
    last = np.searchsorted(ordered, points + step, side="right")
    empty: Bool = last == first
    return empty
