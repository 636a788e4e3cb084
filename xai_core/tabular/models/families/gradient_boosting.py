"""Histogram gradient boosting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xai_core.params import Float, Int, Value
from xai_core.tabular.models.spec import DEPTH, TABULAR_MODELS, TREES, TabularModelSpec, select_by_task

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table


def build(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    estimator_class = select_by_task(table, HistGradientBoostingClassifier, HistGradientBoostingRegressor)
    return estimator_class(
        max_iter=params["trees"],
        learning_rate=params["rate"],
        max_depth=params["depth"],
        min_samples_leaf=params["leaf"],
        early_stopping=False,
        random_state=seed,
    )


TABULAR_MODELS.add(
    TabularModelSpec(
        name="gradient_boosting",
        title="Trees that correct each other (gradient boosting)",
        sentence="Each new small tree corrects what the trees before it got wrong.",
        paper="Friedman 2001; Ke et al. 2017",
        rank=50,
        params=(
            TREES,
            Float(
                name="rate",
                title="Learning rate",
                help="How much each tree may correct. Less needs more trees.",
                default=0.1,
                low=0.01,
                high=1.0,
            ),
            DEPTH,
            Int(
                name="leaf",
                title="Rows in a leaf",
                help="The fewest rows a final answer may rest on. More make a simpler model.",
                default=20,
                low=1,
                high=200,
                unit="rows",
            ),
        ),
        tree_based=True,
        filled=False,
        build=build,
    )
)
