"""Decision tree: a readable chain of questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xai_core.params import Value
from xai_core.tabular.models.spec import DEPTH, LEAF, TABULAR_MODELS, TabularModelSpec, select_by_task

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table


def build(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    estimator_class = select_by_task(table, DecisionTreeClassifier, DecisionTreeRegressor)
    return estimator_class(max_depth=params["depth"], min_samples_leaf=params["leaf"], random_state=seed)


TABULAR_MODELS.add(
    TabularModelSpec(
        name="decision_tree",
        title="One question after another (decision tree)",
        sentence="It asks one yes-or-no question after the other until it has an answer.",
        paper="Breiman et al. 1984",
        rank=20,
        params=(DEPTH, LEAF),
        glass_box=True,
        tree_based=True,
        build=build,
    )
)
