"""How much worse a model gets when one feature's values are shuffled among rows it has not learned from (Breiman 2001)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.tabular.inspection.grid import rows_asked
from xai_core.tabular.models.table_model import TabularModel, resolve_model

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

MOST_REPEATS = 100
_SHARED = (
    "Features that carry the same information cover for each other: each of them then looks less important than it is."
)
_LEARNED = "It is not known which rows the model learned from, so some of these may be among them; the numbers may then be too large."


@dataclass(frozen=True, eq=False)
class Importance:
    """Loss of score when a feature is shuffled: positive means that the model needs it, about 0 or below that it does not."""

    features: tuple[str, ...]
    mean: Float64
    """(F,) over the repeats."""
    std: Float64
    """(F,) over the repeats: how much chance there is in it."""
    all: Float64
    """(F, repeats)."""
    score: float
    """The model's score on the same rows unshuffled."""
    metric: str
    """What the score is: "accuracy" or "R²"."""
    rows: Int64
    notes: tuple[str, ...] = ()

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """(F,) places of the features, the most important first."""
        return np.argsort(-self.mean, kind="stable")


def permutation_importance(
    model: Any,
    *,
    table: Table | None = None,
    repeats: int = 10,
    seed: int = 0,
    rows: Any = None,
    job: Job[Any] | None = None,
) -> Importance:
    """Loss of accuracy, or of R², when each feature is shuffled `repeats` times, (F,) with its spread; on the held-out rows.

    The numbers are scikit-learn's `permutation_importance` with `random_state=seed`. Raises InvalidParam and Cancelled.
    """
    from sklearn.inspection import permutation_importance as shuffled

    if isinstance(repeats, bool) or not 1 <= repeats <= MOST_REPEATS:
        raise InvalidParam(f"The number of repeats must be from 1 to {MOST_REPEATS}. Got {repeats!r}.")
    model, table = resolve_model(model, table)
    chosen = rows_asked(table, model.test_rows if rows is None else rows)
    frame = table.take(chosen)
    job = job or Job()
    job.expect((1 + repeats * len(table.columns)) * len(chosen))

    right = _scorer(model, table)
    said: list[float] = []  # the unshuffled rows' score first

    def scored(_estimator: Any, cells: Any, answers: Any) -> float:
        said.append(right(cells, answers))
        job.tick(len(cells))
        return said[-1]

    found = shuffled(
        model.estimator,
        model.inputs(frame),
        table.target[chosen],
        scoring=scored,
        n_repeats=repeats,
        random_state=seed,
        n_jobs=1,
    )
    return Importance(
        features=table.features,
        mean=found.importances_mean,
        std=found.importances_std,
        all=found.importances,
        score=said[0],
        metric="R²" if table.task == "regression" else "accuracy",
        rows=chosen,
        notes=(_SHARED, *((_LEARNED,) if rows is None and np.isin(chosen, model.train_rows).any() else ())),
    )


def _scorer(model: TabularModel, table: Table) -> Callable[[Any, Any], float]:
    """Share of right classes, or R², of rows and the table's answers to them: scikit-learn's own scores, whatever the model's labels."""
    from sklearn.metrics import r2_score

    estimator = model.estimator
    if table.task == "regression":
        return lambda cells, answers: float(r2_score(answers, estimator.predict(cells)))
    meant = np.asarray(model.class_order)
    labels = np.asarray(getattr(estimator, "classes_", meant))
    return lambda cells, answers: float(np.mean(meant[np.searchsorted(labels, estimator.predict(cells))] == answers))
