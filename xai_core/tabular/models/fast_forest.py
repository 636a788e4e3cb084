"""Random forests that predict without scikit-learn's overhead per tree.

scikit-learn hands every tree to joblib, which with 100 trees costs milliseconds a call, however few the rows, and
changes the process's list of warnings on the way, which threads share. Here some thousand rows at a time, which then
stay in the processor's cache, pass all trees, on every core. The sum over trees in their order is the same to the last
bit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.utils.validation import check_is_fitted, validate_data

from xai_core.arrays import Float32, Float64
from xai_core.engine.cores import CORES

# Rows that pass all trees before the next ones do.
BLOCK_ROWS = 4096


def _average_trees(forest: Any, rows: Any) -> Float64:
    """Return the mean prediction of the trees, (N, classes) or (N, 1).

    Raises:
        ValueError: other columns than the forest was trained on, empty cells, or no rows.
    """
    check_is_fitted(forest)
    # scikit-learn's trees take float32 only.
    inputs = validate_data(forest, rows, dtype=np.float32, order="C", reset=False)
    blocks = [inputs[start : start + BLOCK_ROWS] for start in range(0, len(inputs), BLOCK_ROWS)]
    with ThreadPoolExecutor(min(CORES, len(blocks)), thread_name_prefix="whybox-forest") as pool:
        return np.concatenate(list(pool.map(partial(_average_block, forest), blocks)))


def _average_block(forest: Any, inputs: Float32) -> Float64:
    # Added one by one in the order of the trees: another order would change the last bit.
    total: Float64 = forest.estimators_[0].tree_.predict(inputs)
    for tree in forest.estimators_[1:]:
        total += tree.tree_.predict(inputs)
    return total / len(forest.estimators_)


class ForestClassifier(RandomForestClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """`RandomForestClassifier` for one target without empty cells."""

    def predict_proba(self, X: Any) -> Float64:  # noqa: N803  # scikit-learn's own name
        """Return probabilities, (N, classes)."""
        return _average_trees(self, X)


class ForestRegressor(RandomForestRegressor):  # type: ignore[misc]
    """`RandomForestRegressor` for one target without empty cells."""

    def predict(self, X: Any) -> Float64:  # noqa: N803
        """Return values, (N,)."""
        return _average_trees(self, X)[:, 0]
