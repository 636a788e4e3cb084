"""Explainable boosting machine of interpret-core: a readable sum of curves (Nori et al. 2019, arXiv:1909.09223)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.arrays import Int64
from xai_core.params import Int, Value
from xai_core.tabular.data.grouping import hold_out_groups
from xai_core.tabular.models.spec import TABULAR_MODELS, TabularModelSpec, select_by_task

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

# The library's own share of rows that decide when to stop.
STOPPING_SHARE = 0.15


def build(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

    estimator_class = select_by_task(table, ExplainableBoostingClassifier, ExplainableBoostingRegressor)
    return estimator_class(
        feature_names=[column.name for column in table.columns],
        feature_types=["nominal" if column.kind == "category" else "continuous" for column in table.columns],
        # The library has no pairs for three classes and more.
        interactions=params["pairs"] if len(table.classes) <= 2 else 0,
        max_bins=params["bins"],
        max_interaction_bins=16,
        outer_bags=params["bags"],
        learning_rate=0.1,
        max_rounds=2000,
        smoothing_rounds=10,
        interaction_smoothing_rounds=10,
        early_stopping_rounds=50,
        n_jobs=1,
        random_state=seed,
    )


def keep_groups_together(estimator: Any, labels: Int64 | None, groups: Int64, seed: int) -> dict[str, Any]:
    """Return bags for `fit`, (N, bags): 1 to learn from, -1 to decide when to stop."""
    labels = np.zeros(len(groups), dtype=np.int64) if labels is None else labels
    rng, bags = np.random.default_rng(seed), np.ones((len(groups), estimator.outer_bags), dtype=np.int8)
    for bag in bags.T:
        bag[hold_out_groups(labels, groups, STOPPING_SHARE, rng)] = -1
    return {"bags": bags}


TABULAR_MODELS.add(
    TabularModelSpec(
        name="explainable_boosting",
        title="Sum of curves (explainable boosting)",
        sentence=(
            "Every feature has a curve of its own that adds or takes away, and a few pairs of features have one "
            "together."
        ),
        paper="Lou et al. 2013; Nori et al. 2019, arXiv:1909.09223",
        rank=30,
        params=(
            Int(
                name="pairs",
                title="Pairs",
                help="Pairs of features that may act together. For three outcomes and more there are none.",
                default=5,
                low=0,
                high=20,
            ),
            Int(
                name="bins",
                title="Steps of a curve",
                help="How fine the curves may be.",
                default=128,
                low=8,
                high=1024,
                advanced=True,
            ),
            Int(
                name="bags",
                title="Repetitions",
                help="Models averaged. More give smoother curves and truer error bars.",
                default=8,
                low=2,
                high=25,
                advanced=True,
            ),
        ),
        glass_box=True,
        prepared=False,
        filled=False,
        max_rows=20_000,
        build=build,
        keep_groups_together=keep_groups_together,
    )
)
