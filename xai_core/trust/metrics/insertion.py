"""Insertion: mean log-odds of the class while the strongest pieces are shown first."""

from __future__ import annotations

from math import inf

from xai_core.trust.metrics.base.spec import METRICS, MetricSpec

METRICS.add(
    MetricSpec(
        name="insertion",
        title="Insertion",
        technical="area under the insertion curve, log-odds",
        question="How high does the answer get while the strongest places are shown first?",
        direction="more",
        low=-inf,
        high=inf,
        source="Petsiuk et al. 2018, arXiv:1806.07421",
        run=lambda request: request.hiding.insertion.area,
        order=3,
        part_of="Gain",
    )
)
