"""Deletion: mean log-odds of the class while the strongest pieces are hidden first."""

from __future__ import annotations

from math import inf

from xai_core.trust.metrics.base.spec import METRICS, MetricSpec

METRICS.add(
    MetricSpec(
        name="deletion",
        title="Deletion",
        technical="area under the deletion curve, log-odds",
        question="How high does the answer stay while the strongest places are hidden first?",
        direction="less",
        low=-inf,
        high=inf,
        source="Petsiuk et al. 2018, arXiv:1806.07421",
        run=lambda request: request.hiding.deletion.area,
        order=2,
        part_of="Gain",
    )
)
