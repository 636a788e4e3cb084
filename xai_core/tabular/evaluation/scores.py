"""How good a model is on rows it has never seen: the usual scores, each with one plain sentence, and the curves behind them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64
from xai_core.errors import InvalidTable
from xai_core.tabular.evaluation.sentences import sentences

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel

BINS = 10


@dataclass(frozen=True, eq=False)
class OutcomeCurves:
    """One outcome against all others on the held-out rows."""

    outcome: int
    label: str
    false_positives: Float64
    """The ROC curve: share of the other rows that get at least a threshold, (T,) ascending."""
    true_positives: Float64
    """Share of this outcome's rows that get at least the threshold, (T,)."""
    thresholds: Float64
    area: float
    """Area under the ROC curve, 0..1; NaN where the held-out rows hold only one kind."""
    predicted: Float64
    """Calibration: the mean probability in each of ten equal bins that hold rows, (B,)."""
    actual: Float64
    """The share of rows in the bin that are of this outcome, (B,)."""
    counts: npt.NDArray[np.int64]
    """Rows in the bin, (B,)."""

    @property
    def calibration_error(self) -> float:
        """How far the probabilities are off on average, 0..1: the expected calibration error (Naeini et al. 2015)."""
        return float(np.average(np.abs(self.predicted - self.actual), weights=self.counts))


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of a model on its held-out rows. `values` and `sentences` have the same keys."""

    values: Mapping[str, float]
    """Classification: accuracy, precision, recall, f1, roc_auc, calibration. Regression: mae, mse, r2. NaN where undefined."""
    sentences: Mapping[str, str]
    rows: int
    baseline: float
    """Accuracy of always naming the commonest class of the training rows, or mean error of always naming their mean."""
    confusion: npt.NDArray[np.int64] | None = None
    """(classes, classes): row the truth, column what the model says; None for regression."""
    curves: tuple[OutcomeCurves, ...] = ()
    """One for class 1 of two, one for each class of more; () for regression."""
    actual: Float64 = field(default_factory=lambda: np.zeros(0))
    """Regression: the true values, (N,)."""
    predicted: Float64 = field(default_factory=lambda: np.zeros(0))
    """Regression: what the model says, (N,)."""


def evaluate(model: TabularModel) -> Scores:
    """Scores on `model.test_rows`.

    Precision, recall and F1 are those of class 1 of two, and of more classes the mean over the classes; ROC AUC likewise, each class
    against the rest. Raises InvalidTable where no rows are held out.
    """
    if not len(model.test_rows):
        raise InvalidTable("No rows are left to try the model on: the table is too short. Use a longer table.")
    found = model.predict(model.table.take(model.test_rows))
    truth = model.table.target[model.test_rows]
    return _of_values(model, found, truth) if model.table.task == "regression" else _of_classes(model, found, truth)


def _of_values(model: TabularModel, found: Float64, truth: Float64) -> Scores:
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

    values = {
        "mae": float(mean_absolute_error(truth, found)),
        "mse": float(mean_squared_error(truth, found)),
        "r2": float(r2_score(truth, found)) if np.ptp(truth) > 0 else math.nan,
    }
    mean = float(np.mean(model.table.target[model.train_rows]))
    scores = Scores(values, {}, len(truth), float(np.mean(np.abs(truth - mean))), actual=truth, predicted=found)
    return _worded(model, scores)


def _of_classes(model: TabularModel, found: Float64, truth: npt.NDArray[np.int64]) -> Scores:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    count = len(model.table.classes)
    said = found.argmax(axis=1)
    average, labels = ("binary", None) if count == 2 else ("macro", np.unique(truth))
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, said, average=average, labels=labels, zero_division=0.0
    )
    curves = tuple(
        outcome_curves(index, model.table.classes[index], truth, found)
        for index in ([1] if count == 2 else range(count))
    )
    values = {
        "accuracy": float(np.mean(said == truth)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": _mean([each.area for each in curves]),
        "calibration": _mean([each.calibration_error for each in curves]),
    }
    commonest = int(np.bincount(model.table.target[model.train_rows]).argmax())
    confusion = confusion_matrix(truth, said, labels=np.arange(count))
    return _worded(
        model, Scores(values, {}, len(truth), float(np.mean(truth == commonest)), confusion=confusion, curves=curves)
    )


def outcome_curves(outcome: int, label: str, truth: npt.NDArray[np.int64], found: Float64) -> OutcomeCurves:
    """ROC and calibration of one outcome from probabilities (N, classes)."""
    from sklearn.metrics import auc, roc_curve

    is_it, said = truth == outcome, found[:, outcome]
    both = bool(is_it.any() and not is_it.all())
    false, true, thresholds = roc_curve(is_it, said) if both else (np.zeros(0),) * 3
    bins = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    full = counts > 0
    predicted = np.bincount(bins, weights=said, minlength=BINS)[full] / counts[full]
    actual = np.bincount(bins, weights=is_it, minlength=BINS)[full] / counts[full]
    area = float(auc(false, true)) if both else math.nan
    return OutcomeCurves(outcome, label, false, true, thresholds, area, predicted, actual, counts[full])


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _worded(model: TabularModel, scores: Scores) -> Scores:
    return replace(
        scores, values=MappingProxyType(dict(scores.values)), sentences=MappingProxyType(sentences(model, scores))
    )
