"""Max-sensitivity: largest relative change of the map under noise that nobody sees, over ten draws."""

from __future__ import annotations

from math import inf

import numpy as np

from xai_core.trust.metrics.base.request import MetricRequest
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec

DRAWS = 10
# Levels of 255: about 0.02 of the range.
RADIUS = 5


def run(request: MetricRequest) -> float:
    """Return the largest length of a change of the map, as a share of the map's own length."""
    heat, pixels = request.heat, request.input_bytes.astype(np.int16)
    rng, changes = np.random.default_rng(request.seed), []
    for _ in range(DRAWS):
        noisy = (pixels + rng.integers(-RADIUS, RADIUS + 1, pixels.shape)).clip(0, 255).astype(np.uint8)
        changes.append(float(np.linalg.norm(request.explain(noisy) - heat) / np.linalg.norm(heat)))
    return max(changes)


METRICS.add(
    MetricSpec(
        name="max_sensitivity",
        title="Sensitivity to noise",
        technical="max-sensitivity",
        question="How much does the map change at most when invisible noise is added? 0 means not at all.",
        direction="less",
        low=0.0,
        high=inf,
        source="Yeh et al. 2019, arXiv:1901.09392",
        run=run,
        order=6,
        maps=DRAWS,
        max_seconds=0.2,
    )
)
