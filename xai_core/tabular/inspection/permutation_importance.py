"""How much worse a model gets when one feature's values are shuffled among rows it has not learned from (Breiman 2001)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.errors import InvalidParam
from xai_core.tabular.inspection.grid import rows_asked
from xai_core.tabular.inspection.scoring import expect, tick
from xai_core.tabular.models.estimator import BareEstimator, Explained, Floats, Rows, class_order, explained

if TYPE_CHECKING:
    from xai_core.engine.jobs import Job
    from xai_core.tabular.data.builtin import Table

MOST_REPEATS = 100
_SHARED = (
    "Features that carry the same information cover for each other: each of them then looks less important than it is."
)
_LEARNED = "It is not known which rows the model learned from, so some of these may be among them; the numbers may then be too large."


@dataclass(frozen=True, eq=False)
class Importance:
    """Loss of score when a feature is shuffled: positive means that the model needs it, about 0 or below that it does not."""

    features: tuple[str, ...]
    mean: Floats
    """(F,) over the repeats."""
    std: Floats
    """(F,) over the repeats: how much chance there is in it."""
    all: Floats
    """(F, repeats)."""
    score: float
    """The model's score on the same rows unshuffled."""
    metric: str
    """What the score is: "accuracy" or "R²"."""
    rows: Rows
    notes: tuple[str, ...] = ()

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """(F,) places of the features, the most important first."""
        return np.argsort(-self.mean, kind="stable")


def permutation_importance(
    model: Any, table: Table, *, repeats: int = 10, seed: int = 0, rows: Any = None, job: Job[Any] | None = None
) -> Importance:
    """Loss of accuracy, or of R², when each feature is shuffled `repeats` times, (F,) with its spread; on the held-out rows.

    The numbers are scikit-learn's `permutation_importance` with `random_state=seed`. Raises InvalidParam and Cancelled.
    """
    from sklearn.inspection import permutation_importance as shuffled

    if isinstance(repeats, bool) or not 1 <= repeats <= MOST_REPEATS:
        raise InvalidParam(f"The number of repeats must be from 1 to {MOST_REPEATS}. Got {repeats!r}.")
    asked = explained(model, table)
    chosen = rows_asked(table, asked.test_rows if rows is None else rows)
    frame = table.take(chosen)
    expect(job, (1 + repeats * len(table.columns)) * len(chosen))

    right = _scorer(asked, table)
    said: list[float] = []  # the unshuffled rows' score first

    def scored(_estimator: Any, cells: Any, answers: Any) -> float:
        said.append(right(cells, answers))
        tick(job, len(cells))
        return said[-1]

    bare = isinstance(asked, BareEstimator)
    cells = asked.inputs(frame) if isinstance(asked, BareEstimator) else frame
    found = shuffled(
        asked.estimator, cells, table.target[chosen], scoring=scored, n_repeats=repeats, random_state=seed, n_jobs=1
    )
    return Importance(
        features=table.features,
        mean=found.importances_mean,
        std=found.importances_std,
        all=found.importances,
        score=said[0],
        metric="R²" if table.task == "regression" else "accuracy",
        rows=chosen,
        notes=(_SHARED, *((_LEARNED,) if bare and rows is None else ())),
    )


def _scorer(model: Explained, table: Table) -> Callable[[Any, Any], float]:
    """Share of right classes, or R², of rows and the table's answers to them: scikit-learn's own scores, whatever the model's labels."""
    from sklearn.metrics import r2_score

    estimator = model.estimator
    if table.task == "regression":
        return lambda cells, answers: float(r2_score(answers, estimator.predict(cells)))
    meant = np.asarray(class_order(model, table))
    labels = np.asarray(getattr(estimator, "classes_", meant))
    return lambda cells, answers: float(np.mean(meant[np.searchsorted(labels, estimator.predict(cells))] == answers))
