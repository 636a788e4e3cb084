"""Scores by which a loss is measured, and the choice of one that moves: right answers cannot see a rare outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Bool, Float64, Int64
from xai_core.errors import InvalidParam
from xai_core.formatting import percent
from xai_core.tabular.data.table import Table, Task

# From a row's truth, (N,), and the model's answers to a number. Answers are class indices (N,), probabilities
# (N, classes) or values (N,).
Measure = Callable[[npt.NDArray[Any], npt.NDArray[Any]], float]
# Share of the commonest outcome above which always naming it is nearly as good as any model.
MAX_COMMONEST = 0.9
# An outcome is rare below this part of an even share.
RARE = 0.2


@dataclass(frozen=True)
class ScoreFunction:
    """A score of a model: its words, and how it is computed."""

    name: str
    title: str
    """For a choice on a page."""
    technical: str
    meaning: str
    """Rest of a sentence that begins with the technical name: "is how often …"."""
    task: Task
    measure: Measure
    guess: Callable[[npt.NDArray[Any]], float]
    """From the truth, (N,), to the score of a model that knows nothing but how common each answer is."""
    is_error: bool = False
    """Smaller is better."""
    needs_probabilities: bool = False

    @property
    def loss_words(self) -> str:
        """Words for what a model loses: "loss of accuracy", "rise of log loss"."""
        return f"{'rise' if self.is_error else 'loss'} of {self.technical}"


def _classes_in(truth: Int64) -> list[Bool]:
    """Return for each class that occurs whether a row is of it, (N,)."""
    return [truth == label for label in np.unique(truth)]


def _measure_accuracy(truth: Int64, classes: Int64) -> float:
    return float(np.mean(truth == classes))


def _measure_balanced_accuracy(truth: Int64, classes: Int64) -> float:
    return float(np.mean([np.mean(classes[rows] == truth[rows]) for rows in _classes_in(truth)]))


def _measure_auc(truth: Int64, probabilities: Float64) -> float:
    from sklearn.metrics import roc_auc_score

    if probabilities.shape[1] == 2:
        return float(roc_auc_score(truth, probabilities[:, 1]))
    return float(np.mean([roc_auc_score(truth == label, probabilities[:, label]) for label in np.unique(truth)]))


def _measure_average_precision(truth: Int64, probabilities: Float64) -> float:
    """Return the average precision of the rarer of two classes, or the mean over more classes."""
    from sklearn.metrics import average_precision_score

    present, counts = np.unique(truth, return_counts=True)
    # Of two classes the common one is at the top anyway.
    labels = present[[counts.argmin()]] if probabilities.shape[1] == 2 else present
    return float(np.mean([average_precision_score(truth == label, probabilities[:, label]) for label in labels]))


def _measure_log_loss(truth: Int64, probabilities: Float64) -> float:
    from sklearn.metrics import log_loss

    return float(log_loss(truth, probabilities, labels=np.arange(probabilities.shape[1])))


def _measure_r2(truth: Float64, values: Float64) -> float:
    from sklearn.metrics import r2_score

    return float(r2_score(truth, values))


def _measure_absolute_error(truth: Float64, values: Float64) -> float:
    return float(np.mean(np.abs(truth - values)))


def _guess_average_precision(truth: Int64) -> float:
    shares = [float(rows.mean()) for rows in _classes_in(truth)]
    return min(shares) if len(shares) == 2 else float(np.mean(shares))


def _guess_log_loss(truth: Int64) -> float:
    shares = np.array([rows.mean() for rows in _classes_in(truth)])
    return float(-np.sum(shares * np.log(shares)))


SCORE_FUNCTIONS: Mapping[str, ScoreFunction] = MappingProxyType(
    {
        score.name: score
        for score in (
            ScoreFunction(
                name="accuracy",
                title="Right answers (accuracy)",
                technical="accuracy",
                meaning="is the share of right answers.",
                task="classification",
                measure=_measure_accuracy,
                guess=lambda truth: max(float(rows.mean()) for rows in _classes_in(truth)),
            ),
            ScoreFunction(
                name="balanced_accuracy",
                title="Right answers, each outcome counting the same (balanced accuracy)",
                technical="balanced accuracy",
                meaning="is the share of right answers of each outcome, averaged, so that a rare outcome counts as "
                "much as a common one.",
                task="classification",
                measure=_measure_balanced_accuracy,
                guess=lambda truth: 1 / len(_classes_in(truth)),
            ),
            ScoreFunction(
                name="roc_auc",
                title="Ranks well (ROC AUC)",
                technical="ROC AUC",
                meaning="is how often a row with an outcome gets a higher probability of it than a row without. "
                "Guessing gives 0.5, always being right 1.",
                task="classification",
                measure=_measure_auc,
                guess=lambda _truth: 0.5,
                needs_probabilities=True,
            ),
            ScoreFunction(
                name="average_precision",
                title="Finds rare outcomes (average precision)",
                technical="average precision",
                meaning="sorts the rows by their probability of the rarer outcome and says how many at the top really "
                "have it (with more outcomes: averaged over all of them). 1 is perfect.",
                task="classification",
                measure=_measure_average_precision,
                guess=_guess_average_precision,
                needs_probabilities=True,
            ),
            ScoreFunction(
                name="log_loss",
                title="Honest probabilities (log loss)",
                technical="log loss",
                meaning="is how far the probabilities are from what is true; to be sure and wrong counts most. "
                "0 is perfect.",
                task="classification",
                measure=_measure_log_loss,
                guess=_guess_log_loss,
                is_error=True,
                needs_probabilities=True,
            ),
            ScoreFunction(
                name="r2",
                title="Explained differences (R²)",
                technical="R²",
                meaning="is the share of the differences between rows that the model explains.",
                task="regression",
                measure=_measure_r2,
                guess=lambda _truth: 0.0,
            ),
            ScoreFunction(
                name="mae",
                title="Usual error (mean absolute error)",
                technical="mean absolute error",
                meaning="is how far the answers are off on average.",
                task="regression",
                measure=_measure_absolute_error,
                guess=lambda truth: float(np.mean(np.abs(truth - np.median(truth)))),
                is_error=True,
            ),
        )
    }
)


def find_score(name: str | None, table: Table, rows: Int64, *, has_probabilities: bool) -> tuple[ScoreFunction, str]:
    """Return the score of this name, or one that suits the rows where it is None, and a sentence that says why.

    Raises:
        InvalidParam: no score of this task, or one that these rows or this model do not have.
    """
    allowed = [score.name for score in SCORE_FUNCTIONS.values() if score.task == table.task]
    if name is not None and name not in allowed:
        raise InvalidParam(f"The score of a {table.task} must be one of {', '.join(allowed)}. Got {str(name)[:60]!r}.")
    truth = table.target[rows]
    if name is None:
        name, reason = _choose_score(table, truth, has_probabilities)
        return SCORE_FUNCTIONS[name], reason
    score = SCORE_FUNCTIONS[name]
    if score.needs_probabilities and not has_probabilities:
        raise InvalidParam(
            f"The score {name!r} needs a model with probabilities. Choose accuracy or balanced_accuracy."
        )
    if name in ("roc_auc", "average_precision") and len(np.unique(truth)) < 2:
        raise InvalidParam(f"The score {name!r} needs rows with two outcomes, and these have one. Choose log_loss.")
    return score, ""


def _choose_score(table: Table, truth: npt.NDArray[Any], has_probabilities: bool) -> tuple[str, str]:
    if table.task == "regression":
        return "r2", ""
    shares = np.bincount(truth, minlength=len(table.classes)) / len(truth)
    reason = _describe_imbalance(table.classes, shares)
    if not reason:
        return "accuracy", ""
    if not has_probabilities:
        return "balanced_accuracy", reason
    return ("average_precision" if np.count_nonzero(shares) > 1 else "log_loss"), reason


def _describe_imbalance(classes: tuple[str, ...], shares: Float64) -> str:
    """Return why the share of right answers would say little about these rows, "" where it says enough."""
    common = int(shares.argmax())
    rare = int(np.where(shares > 0, shares, 1).argmin())
    words = "The share of right answers (accuracy) is not used: "
    if shares[common] > MAX_COMMONEST:
        return (
            f"{words}{percent(shares[common])} of these rows are “{classes[common]}”, so that always saying "
            f"“{classes[common]}” is right nearly as often as any model."
        )
    if shares[rare] < RARE / len(classes):
        return (
            f"{words}only {percent(shares[rare])} of these rows are “{classes[rare]}”, so that it hardly changes when "
            "the model misses them all."
        )
    return ""
