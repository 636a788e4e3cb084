"""Stability: similarity of the map to itself when the picture moves by a few pixels."""

from __future__ import annotations

import numpy as np

from xai_core.errors import NotApplicable
from xai_core.shakes.base.frames import Affine
from xai_core.shakes.run.maps import correlate_maps
from xai_core.trust.metrics.base.request import MetricRequest
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec

# Directions of the shifts: (down, right).
SHIFTS = ((1, 0), (0, 1), (-1, -1))
# Length of a shift as a share of the input's side: 4 pixels of 224.
STEP = 1 / 56


def run(request: MetricRequest) -> float:
    """Return the mean rank correlation with the maps of the moved picture, moved back, over the common part."""
    steps, ranks = request.planned.model.preprocessing, []
    heat, picture = request.heat.astype(np.float32), steps.to_picture(request.input_bytes)
    step = max(round(steps.crop * STEP), 1)
    for down, right in SHIFTS:
        frame = Affine.about_middle(steps.crop, np.eye(2), (-down * step, -right * step))
        restored, common = frame.restore(request.explain(steps.to_bytes(frame.move(picture))))
        ranks.append(correlate_maps(heat, restored, common))
    if not np.isfinite(ranks).all():
        raise NotApplicable("The map of the moved picture is the same everywhere.")
    return float(np.mean(ranks))


METRICS.add(
    MetricSpec(
        name="stability",
        title="Stability",
        technical="rank correlation under small shifts",
        question="Does the map move along when the picture is shifted by a few pixels? 1 means that it does.",
        direction="more",
        low=-1.0,
        high=1.0,
        source="Alvarez-Melis and Jaakkola 2018, arXiv:1806.08049",
        run=run,
        order=5,
        maps=len(SHIFTS),
        max_seconds=10.0,
    )
)
