"""Histograms of a column: bars that show whole numbers without artefacts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64

MAX_BARS = 30
# Below this a float64 can still hold a half.
HALF_LIMIT = 2.0**52


def histogram(values: npt.ArrayLike) -> tuple[Float64, Int64]:
    """Return edges (B + 1,) of at most 30 bars and the counts (B,) of numbers (N,) between them.

    Bars of whole numbers hold equally many of them, the last one perhaps fewer: with bars of equal width some would
    hold two and some three, and look like a pattern in the data.
    """
    numbers = np.asarray(values, dtype=np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    largest = max(abs(low), abs(high))
    finest = float(np.spacing(largest))
    # Neighbours among numbers of 18 digits are 128 apart: no bar may be narrower than two steps.
    bins: int | Float64 = int(min(max((high - low) / (2 * finest), 1), MAX_BARS))
    if low == high:
        bins = np.array([low, high]) + max(finest, 0.5) * np.array([-1, 1])
    elif largest < HALF_LIMIT and (numbers == np.round(numbers)).all():
        bins = np.append(np.arange(low, high + 1, np.ceil((high - low + 1) / MAX_BARS)), high + 1) - 0.5
    counts, edges = np.histogram(numbers, bins=bins)
    return edges, counts.astype(np.int64)
