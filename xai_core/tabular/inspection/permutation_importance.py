"""Permutation importance (Breiman 2001): loss of score when one feature is shuffled among rows not learned from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.tabular.inspection.rows import select_rows
from xai_core.tabular.models.table_model import TabularModel, resolve_model

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

MAX_REPEATS = 100
SHARED_NOTE = (
    "Features that carry the same information cover for each other: each of them then looks less important than it is."
)
LEARNED_NOTE = (
    "It is not known which rows the model learned from, so some of these may be among them; "
    "the numbers may then be too large."
)


@dataclass(frozen=True, eq=False)
class Importance:
    """Loss of score when a feature is shuffled: positive where the model needs it, else about 0."""

    features: tuple[str, ...]
    mean: Float64
    """(F,) over the repeats."""
    std: Float64
    """(F,) over the repeats: the part of chance in it."""
    all: Float64
    """(F, repeats)."""
    score: float
    """The model's score on the same rows unshuffled."""
    metric: str
    """Name of the score: "accuracy" or "R²"."""
    rows: Int64
    notes: tuple[str, ...] = ()

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """(F,) indices of the features, the most important first."""
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
    """Return the loss of accuracy, or of R², when each feature is shuffled `repeats` times, (F,); on the held-out rows.

    The numbers are scikit-learn's `permutation_importance` with `random_state=seed`. Raises InvalidParam, Cancelled.

    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [5.0, 6.0, 5.0]}), [1.0, 3.0, 5.0])
    >>> model = LinearRegression().fit(table.frame, table.target)
    >>> importance = permutation_importance(model, table=table)
    >>> importance.features[importance.order[0]], importance.metric
    ('a', 'R²')
    """
    from sklearn.inspection import permutation_importance as permute

    if isinstance(repeats, bool) or not 1 <= repeats <= MAX_REPEATS:
        raise InvalidParam(f"The number of repeats must be from 1 to {MAX_REPEATS}. Got {repeats!r}.")
    model, table = resolve_model(model, table)
    selected = select_rows(table, model.test_rows if rows is None else rows)
    frame, job = table.take(selected), job or Job()
    job.expect((1 + repeats * len(table.columns)) * len(selected))
    compute_score = _build_score(model, table)
    # scikit-learn asks for the score of the unshuffled rows first.
    scores: list[float] = []

    def count_score(_estimator: Any, cells: Any, truth: Any) -> float:
        scores.append(compute_score(cells, truth))
        job.tick(len(cells))
        return scores[-1]

    result = permute(
        model.estimator,
        model.inputs(frame),
        table.target[selected],
        scoring=count_score,
        n_repeats=repeats,
        random_state=seed,
        n_jobs=1,
    )
    learned = rows is None and np.isin(selected, model.train_rows).any()
    return Importance(
        features=table.features,
        mean=result.importances_mean,
        std=result.importances_std,
        all=result.importances,
        score=scores[0],
        metric="R²" if table.task == "regression" else "accuracy",
        rows=selected,
        notes=(SHARED_NOTE, LEARNED_NOTE) if learned else (SHARED_NOTE,),
    )


def _build_score(model: TabularModel, table: Table) -> Callable[[Any, Any], float]:
    """Return accuracy or R² as a function of rows and the table's targets: scikit-learn's, for any labels."""
    from sklearn.metrics import r2_score

    estimator = model.estimator
    if table.task == "regression":
        return lambda cells, truth: float(r2_score(truth, estimator.predict(cells)))
    classes = np.asarray(model.class_order)
    labels = np.asarray(getattr(estimator, "classes_", classes))
    # The estimator's labels are sorted and need not be the class numbers.
    return lambda cells, truth: float(np.mean(classes[np.searchsorted(labels, estimator.predict(cells))] == truth))
