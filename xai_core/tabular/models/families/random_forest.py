"""Random forest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xai_core.params import Value
from xai_core.tabular.models.spec import LEAF, TABULAR_MODELS, TREES, TabularModelSpec, select_by_task

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table


def build(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from xai_core.tabular.models.fast_forest import ForestClassifier, ForestRegressor

    estimator_class = select_by_task(table, ForestClassifier, ForestRegressor)
    return estimator_class(n_estimators=params["trees"], min_samples_leaf=params["leaf"], n_jobs=1, random_state=seed)


TABULAR_MODELS.add(
    TabularModelSpec(
        name="random_forest",
        title="Many trees that vote (random forest)",
        sentence="Many decision trees, each grown on other rows, and their answers are averaged.",
        paper="Breiman 2001",
        rank=40,
        params=(TREES, LEAF),
        tree_based=True,
        max_rows=50_000,
        build=build,
    )
)
