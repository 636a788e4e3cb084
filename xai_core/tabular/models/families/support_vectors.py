"""Support vector machine, its probabilities calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.arrays import Int64
from xai_core.params import Value
from xai_core.tabular.data.grouping import split_folds
from xai_core.tabular.models.spec import FREEDOM, TABULAR_MODELS, TabularModelSpec, scale_target, select_by_task

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

MAX_FOLDS = 5


def build(table: Table, params: Mapping[str, Value], seed: int) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold

    from xai_core.tabular.models.fast_svm import SupportClassifier, SupportRegressor

    freedom = float(params["freedom"])
    rarest = int(np.bincount(table.target).min()) if table.classes else 0
    # So few folds that each has every class in it.
    folds = StratifiedKFold(min(max(rarest // 2, 2), MAX_FOLDS), shuffle=True, random_state=seed)
    return select_by_task(
        table,
        CalibratedClassifierCV(SupportClassifier(C=freedom, random_state=seed), ensemble=False, cv=folds),
        scale_target(SupportRegressor(C=freedom)),
    )


def keep_groups_together(estimator: Any, labels: Int64 | None, groups: Int64, seed: int) -> dict[str, Any]:
    """Let the probabilities be calibrated on groups that the machine has not learnt from."""
    if labels is not None:
        estimator.set_params(cv=split_folds(labels, groups, MAX_FOLDS, seed))
    return {}


TABULAR_MODELS.add(
    TabularModelSpec(
        name="support_vectors",
        title="The widest gap (support vector machine)",
        sentence="It draws the border that keeps the outcomes as far apart as possible.",
        paper="Cortes & Vapnik 1995; Platt 1999",
        rank=70,
        params=(FREEDOM,),
        scaled=True,
        max_rows=4_000,
        build=build,
        keep_groups_together=keep_groups_together,
    )
)
