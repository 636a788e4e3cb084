"""The memory of an estimator grows with its trees."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from xai_core.tabular.models.object_graph import estimate_bytes


def test_big_models_count_for_more() -> None:
    rows = np.random.default_rng(0).normal(size=(100, 3))
    small, big = (RandomForestRegressor(trees, random_state=0).fit(rows, rows[:, 0]) for trees in (5, 20))
    sizes = [estimate_bytes(forest) - estimate_bytes(None) for forest in (small, big)]
    assert sizes[0] > 0 and 3.5 < sizes[1] / sizes[0] < 4.5
