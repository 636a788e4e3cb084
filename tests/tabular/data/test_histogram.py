"""Histograms: equal counts of whole numbers in each bar, equal widths of others, any numbers at all."""

from __future__ import annotations

import numpy as np
import pytest

from xai_core.tabular.data.histogram import histogram


@pytest.mark.parametrize("count", [2, 7, 30, 31, 72, 1000])
def test_bars_of_whole_numbers_hold_equally_many_of_them(count: int) -> None:
    """Every number once: with bars of unlike width some would be half as high again, as ages from 18 to 89 were."""
    edges, counts = histogram(np.arange(count) - 3)
    assert counts.sum() == count and len(counts) <= 30
    assert len(set(counts[:-1])) <= 1 and counts[-1] <= counts[0]
    assert (edges[0], edges[-1]) == (-3.5, count - 3.5)


def test_bars_of_other_numbers_are_equally_wide() -> None:
    values = np.random.default_rng(0).normal(size=500)
    edges, counts = histogram(values)
    expected_counts, expected_edges = np.histogram(values, bins=30)
    assert np.array_equal(edges, expected_edges) and np.array_equal(counts, expected_counts)
    for same in (4.0, 0.25):
        edges, counts = histogram(np.full(9, same))
        assert counts.tolist() == [9] and edges[0] < same < edges[-1]


@pytest.mark.parametrize(
    "values", [[0.0, 1e15], [1e18, 1e18 + 1000], [-1e300, 1e300], [5e-324, 1e-323], [1e18, 1e18], [-3, -3, -2]]
)
def test_any_numbers_can_be_put_into_bars(values: list[float]) -> None:
    edges, counts = histogram(np.array(values))
    assert counts.sum() == len(values) and 1 <= len(counts) <= 30
    assert edges[0] <= min(values) and max(values) <= edges[-1]
