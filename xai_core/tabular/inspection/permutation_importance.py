"""Permutation importance (Breiman 2001): loss of score when one feature is shuffled among rows not learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.formatting import number
from xai_core.tabular.evaluation.score_functions import ScoreFunction, find_score
from xai_core.tabular.inspection.rows import select_rows
from xai_core.tabular.models.table_model import TabularModel, resolve_model

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

MAX_REPEATS = 100
# Losses below this part of the score's unit, or of what guessing costs, are nearly none.
SMALL_LOSS = 0.01
# A model that gains less than this on guessing has little to lose.
SMALL_GAIN = 0.05
# Rows of the rarest outcome below which chance shows in every bar.
MIN_RARE_ROWS = 10
SHARED_NOTE = (
    "Features that carry the same information cover for each other: each of them then looks less important than it is."
)
LEARNED_NOTE = (
    "It is not known which rows the model learnt from, so some of these may be among them; "
    "the numbers may then be too large."
)


@dataclass(frozen=True, eq=False)
class Importance:
    """Loss of score when a feature is shuffled: positive where the model needs it, else about 0."""

    features: tuple[str, ...]
    mean: Float64
    """(F,) over the repeats; of an error such as log loss its rise, so that positive is always needed."""
    std: Float64
    """(F,) over the repeats: the part of chance in it."""
    all: Float64
    """(F, repeats)."""
    score: float
    """The model's score on the same rows unshuffled."""
    guess: float
    """The score of a model that knows nothing but how common each answer is."""
    metric: str
    """Name of the score: "accuracy", "ROC AUC", "R²"."""
    meaning: str
    """A sentence on the score."""
    loss_words: str
    """Words for `mean`: "loss of accuracy", "rise of log loss"."""
    rows: Int64
    notes: tuple[str, ...] = ()
    """Reasons for the score and for bars that are all about 0, and how sure they are."""

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
    score: str | None = None,
    job: Job[Any] | None = None,
) -> Importance:
    """Return the loss of a score when each feature is shuffled `repeats` times, (F,); on the held-out rows.

    `score` is a name in SCORE_FUNCTIONS. None stands for R² or accuracy, and for average precision where an outcome is
    so rare that accuracy could not see it; a note then says why. The numbers are scikit-learn's
    `permutation_importance` with `random_state=seed` and the same score.

    Raises: InvalidParam, Cancelled.

    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [5.0, 6.0, 5.0]}), [1.0, 3.0, 5.0])
    >>> model = LinearRegression().fit(table.frame, table.target)
    >>> importance = permutation_importance(model, table=table)
    >>> importance.features[importance.order[0]], importance.metric
    ('a', 'R²')
    """
    if isinstance(repeats, bool) or not 1 <= repeats <= MAX_REPEATS:
        raise InvalidParam(f"The number of repeats must be from 1 to {MAX_REPEATS}. Got {repeats!r}.")
    model, table = resolve_model(model, table)
    selected = select_rows(table, model.test_rows if rows is None else rows)
    has_probabilities = hasattr(model.estimator, "predict_proba")
    function, reason = find_score(score, table, selected, has_probabilities=has_probabilities)
    truth, job = table.target[selected], job or Job()
    job.expect((1 + repeats * len(table.columns)) * len(selected))
    value, losses = _shuffle_features(model, table, selected, function, repeats, seed, job)
    guess, mean = function.guess(truth), losses.mean(axis=1)
    learned = rows is None and np.isin(selected, model.train_rows).any()
    return Importance(
        features=table.features,
        mean=mean,
        std=losses.std(axis=1),
        all=losses,
        score=value,
        guess=guess,
        metric=function.technical,
        meaning=f"{function.technical[0].upper()}{function.technical[1:]} {function.meaning}",
        loss_words=function.loss_words,
        rows=selected,
        notes=(
            *filter(None, [reason]),
            *_flat_notes(function, value, guess, mean),
            *_rare_notes(table, truth, function),
            SHARED_NOTE,
            *([LEARNED_NOTE] if learned else []),
        ),
    )


def _shuffle_features(
    model: TabularModel, table: Table, rows: Int64, score: ScoreFunction, repeats: int, seed: int, job: Job[Any]
) -> tuple[float, Float64]:
    """Return the score of the rows as they are, and its loss for each feature and repeat, (F, repeats)."""
    from sklearn.inspection import permutation_importance as permute

    answer, sign = _build_answer(model, table, score), -1 if score.is_error else 1
    # scikit-learn asks for the score of the unshuffled rows first.
    scores: list[float] = []

    def count_score(_estimator: Any, cells: Any, truth: Any) -> float:
        scores.append(score.measure(truth, answer(cells)))
        job.tick(len(cells))
        return sign * scores[-1]

    result = permute(
        model.estimator,
        table.take(rows),
        table.target[rows],
        scoring=count_score,
        n_repeats=repeats,
        random_state=seed,
        n_jobs=1,
    )
    return scores[0], result.importances


def _build_answer(model: TabularModel, table: Table, score: ScoreFunction) -> Callable[[Any], npt.NDArray[Any]]:
    """Return a function from rows to what the score compares with the truth."""
    return model.predict if table.task == "regression" or score.needs_probabilities else model.predict_labels


def _flat_notes(score: ScoreFunction, value: float, guess: float, losses: Float64) -> Iterator[str]:
    """Yield a sentence on why all bars are about 0, where they are."""
    unit = guess if score.is_error else 1.0
    if losses.max() >= SMALL_LOSS * unit:
        return
    gain = guess - value if score.is_error else value - guess
    words = f"All bars are close to zero, because shuffling a single column hardly changes the {score.technical}. "
    if gain < SMALL_GAIN * unit:
        yield f"{words}There is little to lose: the model has {number(value)}, and guessing gives {number(guess)}."
    else:
        yield (
            f"{words}The model as a whole is better than guessing ({number(value)} against {number(guess)}), so "
            "several columns probably tell it the same, and each covers for the others."
        )


def _rare_notes(table: Table, truth: npt.NDArray[Any], score: ScoreFunction) -> Iterator[str]:
    """Yield a sentence where one outcome has so few rows that a score which counts them equally is uncertain."""
    if score.name in ("accuracy", "r2", "mae"):
        return
    counts = np.bincount(truth, minlength=len(table.classes))
    rare = int(np.where(counts > 0, counts, len(truth) + 1).argmin())
    if counts[rare] < MIN_RARE_ROWS and np.count_nonzero(counts) > 1:
        rows = "1 of these rows is" if counts[rare] == 1 else f"{counts[rare]} of these rows are"
        yield f"Only {rows} “{table.classes[rare]}”, so another {counts[rare]} could give other bars."
