"""Random forests that answer without scikit-learn's ceremony around each tree.

scikit-learn hands every tree to joblib, which with 100 trees costs milliseconds a question, however short, and changes the process's list
of warnings on the way, which threads share. Here all trees are walked for some thousand rows at a time, which then stay in the
processor's cache, and on every core. The sum over trees in their order is the same to the last bit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.utils.validation import check_is_fitted, validate_data

from xai_core.engine.cores import CORES

Doubles = npt.NDArray[np.float64]
PART = 4096
"""Rows that go through all trees before the next ones do."""


def _mean_of_trees(forest: Any, rows: Any) -> Doubles:
    """What the trees say on average, (N, classes) or (N, 1). Raises ValueError for other columns than it learned from and empty cells."""
    check_is_fitted(forest)
    seen = validate_data(forest, rows, dtype=np.float32, order="C", reset=False)
    parts = [seen[start : start + PART] for start in range(0, len(seen), PART)]
    with ThreadPoolExecutor(min(CORES, len(parts)), thread_name_prefix="whybox-forest") as pool:
        return np.concatenate(list(pool.map(partial(_mean_of_part, forest), parts)))


def _mean_of_part(forest: Any, seen: npt.NDArray[np.float32]) -> Doubles:
    total: Doubles = forest.estimators_[0].tree_.predict(seen)
    for tree in forest.estimators_[1:]:
        total += tree.tree_.predict(seen)
    return total / len(forest.estimators_)


class ForestClassifier(RandomForestClassifier):  # type: ignore[misc]  # scikit-learn says no types
    """`RandomForestClassifier` for one target without empty cells."""

    def predict_proba(self, X: Any) -> Doubles:  # noqa: N803  # scikit-learn's own name
        """Probabilities, (N, classes)."""
        return _mean_of_trees(self, X)


class ForestRegressor(RandomForestRegressor):  # type: ignore[misc]
    """`RandomForestRegressor` for one target without empty cells."""

    def predict(self, X: Any) -> Doubles:  # noqa: N803
        """Values, (N,)."""
        return _mean_of_trees(self, X)[:, 0]
