"""Agreement: mean rank correlation with the maps of the other methods in the table."""

from __future__ import annotations

import numpy as np

from xai_core.errors import NotApplicable
from xai_core.trust.map_agreement import agreement
from xai_core.trust.metrics.base.request import MetricRequest
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec


def run(request: MetricRequest) -> float:
    """Return the mean Spearman correlation at the common grain."""
    value = float(agreement([request.result, *request.others]).mean_rank[0])
    if not np.isfinite(value):
        raise NotApplicable("There is no other map that it can be compared with.")
    return value


METRICS.add(
    MetricSpec(
        name="agreement",
        title="Agreement",
        technical="mean rank correlation with other methods",
        question="Do other methods point at the same places? They may be wrong together.",
        direction="none",
        low=-1.0,
        high=1.0,
        source="Krishna et al. 2022, arXiv:2202.01602",
        run=run,
        order=7,
    )
)
