"""Infidelity: error of the map's forecast of how far the score falls when random pieces are hidden.

Normalized: the forecast is scaled as well as it can be, since maps have units of their own, and the error is a share
of what there was to forecast.
"""

from __future__ import annotations

import numpy as np

from xai_core.arrays import Float64
from xai_core.errors import NotApplicable
from xai_core.trust.metrics.base.request import MetricRequest
from xai_core.trust.metrics.base.spec import METRICS, MetricSpec

SAMPLES = 64
# Share of the pieces that is hidden at once.
SHARE = 0.2


def normalize_error(forecast: Float64, fall: Float64) -> float:
    """Return the squared error of the best scaled forecast, as a share of the squared falls; 0 to 1.

    A forecast of the wrong sign is scaled by 0: turning it around would be another map.
    """
    total = float(fall @ fall)
    if total == 0:
        raise NotApplicable("The score does not move, whatever is hidden.")
    size = float(forecast @ forecast)
    scale = max(float(forecast @ fall) / size, 0.0) if size > 0 else 0.0
    return float(((scale * forecast - fall) ** 2).sum() / total)


def run(request: MetricRequest) -> float:
    """Return the normalized infidelity over 64 random sets of pieces, blurred."""
    heat, labels = request.heat, request.pieces
    sums = np.bincount(labels.ravel(), heat.ravel())
    rng, count = np.random.default_rng(request.seed), len(sums)
    sets = [rng.permutation(count)[: round(SHARE * count)] for _ in range(SAMPLES)]
    hiding = request.open_hiding()
    start, *rows = hiding.ask([np.zeros(0, dtype=np.int64), *sets], hiding.make_hider("blur")).tolist()
    return normalize_error(np.array([sums[pieces].sum() for pieces in sets]), start - np.array(rows))


METRICS.add(
    MetricSpec(
        name="infidelity",
        title="Infidelity",
        technical="normalized infidelity",
        question="How far off is the map when it forecasts the fall for random hidden places?",
        direction="less",
        low=0.0,
        high=1.0,
        source="Yeh et al. 2019, arXiv:1901.09392; normalized as in Captum",
        run=run,
        order=4,
        passes=1 + SAMPLES,
    )
)
