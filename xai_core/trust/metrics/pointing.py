"""Pointing game: does the strongest place lie on the known object, or within 15 pixels of it?"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from xai_core.arrays import Bool, Float64
from xai_core.trust.metrics.base.request import MetricRequest
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec

# Of 224 pixels a side, as in the paper.
TOLERANCE = 15 / 224


def hits(heat: Float64, mask: Bool) -> bool:
    """Return whether the largest value of a map (H, W) lies on the mask or within the tolerance of it."""
    distance = ndimage.distance_transform_edt(~mask) if mask.any() else np.full(mask.shape, np.inf)
    place = np.unravel_index(int(heat.argmax()), heat.shape)
    return bool(distance[place] <= TOLERANCE * max(mask.shape))


def run(request: MetricRequest) -> float:
    """Return 1 for a hit, else 0."""
    return float(hits(request.heat, request.object_mask))


def center_hits(mask: Bool) -> bool:
    """Return whether the middle of the picture would be a hit: then a hit says little."""
    center = np.zeros(mask.shape)
    center[mask.shape[0] // 2, mask.shape[1] // 2] = 1
    return hits(center, mask)


METRICS.add(
    MetricSpec(
        name="pointing",
        title="Points at the object",
        technical="pointing game, 15 pixels",
        question="Does the strongest place lie on the known object?",
        direction="more",
        low=0.0,
        high=1.0,
        source="Zhang et al. 2018, arXiv:1608.00507",
        run=run,
        order=8,
        form="yes or no",
    )
)
