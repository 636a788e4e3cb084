"""Complexity: entropy of the shares of all places in the whole strength of the map."""

from __future__ import annotations

from math import inf

import numpy as np

from xai_core.arrays import Float64
from xai_core.trust.metrics.base.request import MetricRequest
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec


def entropy(values: Float64) -> float:
    """Return the entropy of the shares of sizes in their sum, in nats.

    >>> round(entropy(np.ones(8)), 3), entropy(np.array([0.0, 1.0]))
    (2.079, 0.0)
    """
    shares = np.abs(values).ravel() / np.abs(values).sum()
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum()) + 0.0


def run(request: MetricRequest) -> float:
    """Return the entropy of the map's absolute values."""
    return entropy(request.heat)


METRICS.add(
    MetricSpec(
        name="complexity",
        title="Complexity",
        technical="entropy",
        question="Over how many places is the map spread?",
        direction="none",
        low=0.0,
        high=inf,
        source="Bhatt et al. 2020, arXiv:2005.00631",
        run=run,
        order=11,
    )
)
