"""k nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xai_core.params import Choice, Int, Value
from xai_core.tabular.models.spec import TABULAR_MODELS, TabularModelSpec, select_by_task

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table


def build(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    estimator_class = select_by_task(table, KNeighborsClassifier, KNeighborsRegressor)
    return estimator_class(n_neighbors=params["neighbours"], weights=params["weights"], n_jobs=1)


TABULAR_MODELS.add(
    TabularModelSpec(
        name="nearest_neighbours",
        title="The most similar rows (k nearest neighbours)",
        sentence="It looks up the rows most like this one and answers what was true for them.",
        paper="Fix & Hodges 1951",
        rank=60,
        params=(
            Int(
                name="neighbours",
                title="Neighbours (k)",
                help="How many similar rows have a say.",
                default=15,
                low=1,
                high=100,
                unit="rows",
            ),
            Choice(
                name="weights",
                title="Weighting",
                help="Whether nearer rows count more.",
                default="uniform",
                options={"uniform": "all count the same", "distance": "nearer ones count more"},
                advanced=True,
            ),
        ),
        scaled=True,
        max_rows=20_000,
        build=build,
    )
)
