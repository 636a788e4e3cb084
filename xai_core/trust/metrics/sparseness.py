"""Sparseness: Gini index of the strengths of all places."""

from __future__ import annotations

import numpy as np

from xai_core.arrays import Float64
from xai_core.trust.metrics.base.request import MetricRequest
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec


def gini(values: Float64) -> float:
    """Return the Gini index of sizes: 0 where all are equal, near 1 where one holds all.

    >>> gini(np.ones(4)), gini(np.array([0.0, 0.0, 0.0, 1.0]))
    (0.0, 0.75)
    """
    sizes = np.sort(np.abs(values).ravel())
    weights = 2 * np.arange(1, sizes.size + 1) - sizes.size - 1
    return float((weights * sizes).sum() / (sizes.size * sizes.sum()))


def run(request: MetricRequest) -> float:
    """Return the Gini index of the map's absolute values."""
    return gini(request.heat)


METRICS.add(
    MetricSpec(
        name="sparseness",
        title="Sparseness",
        technical="Gini index",
        question="Are few places strong (near 1) or all of them alike (0)?",
        direction="none",
        low=0.0,
        high=1.0,
        source="Chalasani et al. 2020, arXiv:1810.06583",
        run=run,
        order=10,
    )
)
