"""Logistic and ridge regression: a readable weighted sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xai_core.params import Value
from xai_core.tabular.models.spec import FREEDOM, TABULAR_MODELS, TabularModelSpec, select_by_task

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table


def build(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression, Ridge

    freedom = float(params["freedom"])
    return select_by_task(table, LogisticRegression(C=freedom, max_iter=2000), Ridge(alpha=1 / freedom))


TABULAR_MODELS.add(
    TabularModelSpec(
        name="linear",
        title="Weighted sum (logistic or linear regression)",
        sentence="Every feature adds or takes away a fixed amount, and the amounts are summed up.",
        paper="Cox 1958; Hoerl & Kennard 1970",
        rank=10,
        params=(FREEDOM,),
        glass_box=True,
        scaled=True,
        converges=True,
        build=build,
    )
)
