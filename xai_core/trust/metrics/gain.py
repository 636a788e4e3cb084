"""Symmetric relevance gain: area under the log-odds with the weakest pieces hidden first, less strongest first."""

from __future__ import annotations

from math import inf

from xai_core.trust.hiding.fills import FILLS
from xai_core.trust.hiding.pieces import STEPS
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec

METRICS.add(
    MetricSpec(
        name="gain",
        title="Gain",
        technical="symmetric relevance gain, log-odds",
        question="Does the answer fall sooner when strong places are hidden first than when weak ones are?",
        direction="more",
        low=-inf,
        high=inf,
        source="Blücher et al., TMLR 2024, arXiv:2401.06654",
        run=lambda request: request.hiding.gain,
        order=1,
        passes=1 + len(FILLS) * (2 * STEPS - 1),
    )
)
