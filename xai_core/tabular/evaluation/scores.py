"""Scores of a model on rows it has never seen, each with one plain sentence, and the curves behind them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from xai_core.arrays import Float64, Int64
from xai_core.calibration import calibration_bins
from xai_core.errors import InvalidTable
from xai_core.tabular.evaluation.sentences import describe_classes, describe_values
from xai_core.tabular.evaluation.weakness import describe_weak_classes, describe_weak_values

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel


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
    """Share of rows in the bin that are of this outcome, (B,)."""
    counts: Int64
    """Rows in the bin, (B,)."""

    @property
    def calibration_error(self) -> float:
        """The expected calibration error (Naeini et al. 2015), 0..1: the mean gap of probabilities and shares."""
        return float(np.average(np.abs(self.predicted - self.actual), weights=self.counts))


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of a model on its held-out rows. `sentences` has the keys of `values`, and more."""

    values: Mapping[str, float]
    """accuracy, precision, recall, f1, roc_auc, calibration; of a regression mae, mse, r2. NaN where undefined."""
    sentences: Mapping[str, str]
    rows: int
    baseline: float
    """Accuracy of always naming the commonest class of the training rows, or mean error of always naming their mean."""
    weakness: str = ""
    """A sentence if the model has learnt nothing that helps on rows it has never seen; empty if it has."""
    confusion: Int64 | None = None
    """(classes, classes): row the truth, column the prediction; None for regression."""
    curves: tuple[OutcomeCurves, ...] = ()
    """One for class 1 of two, one for each class of more; () for regression."""
    actual: Float64 = field(default_factory=lambda: np.zeros(0))
    """Regression: the true values, (N,)."""
    predicted: Float64 = field(default_factory=lambda: np.zeros(0))
    """Regression: the predicted values, (N,)."""


def evaluate(model: TabularModel) -> Scores:
    """Compute the scores on `model.test_rows`.

    Precision, recall and F1 are those of class 1 of two, and of more classes the mean over the classes; ROC AUC
    likewise, each class against the rest.

    Raises: InvalidTable (no rows are held out).

    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import TabularModel, table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0, 2.0]}), [1.0, 3.0, 5.0])
    >>> model = TabularModel.of_estimator(LinearRegression().fit(table.frame, table.target), table)
    >>> round(evaluate(model).values["r2"], 6)
    1.0
    """
    if not len(model.test_rows):
        raise InvalidTable("No rows are left to try the model on: the table is too short. Use a longer table.")
    predictions = model.predict(model.table.take(model.test_rows))
    truth = model.table.target[model.test_rows]
    if model.table.task == "regression":
        return _score_values(model, predictions, truth)
    return _score_classes(model, predictions, truth)


def _score_values(model: TabularModel, predictions: Float64, truth: Float64) -> Scores:
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

    values = {
        "mae": float(mean_absolute_error(truth, predictions)),
        "mse": float(mean_squared_error(truth, predictions)),
        "r2": float(r2_score(truth, predictions)) if np.ptp(truth) > 0 else math.nan,
    }
    mean = float(np.mean(model.table.target[model.train_rows]))
    baseline = float(np.mean(np.abs(truth - mean)))
    return Scores(
        values=MappingProxyType(values),
        sentences=MappingProxyType(describe_values(model, values, baseline)),
        rows=len(truth),
        baseline=baseline,
        weakness=describe_weak_values(model.table.target_name, values["r2"]),
        actual=truth,
        predicted=predictions,
    )


def _score_classes(model: TabularModel, probabilities: Float64, truth: Int64) -> Scores:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    classes = model.table.classes
    predicted = probabilities.argmax(axis=1)
    # Classes without a held-out row would count as 0.
    average, labels = ("binary", None) if len(classes) == 2 else ("macro", np.unique(truth))
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, predicted, average=average, labels=labels, zero_division=0.0
    )
    outcomes = [1] if len(classes) == 2 else range(len(classes))
    curves = tuple(outcome_curves(index, classes[index], truth, probabilities) for index in outcomes)
    values = {
        "accuracy": float(np.mean(predicted == truth)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": _average([curve.area for curve in curves]),
        "calibration": _average([curve.calibration_error for curve in curves]),
    }
    commonest = int(np.bincount(model.table.target[model.train_rows]).argmax())
    baseline = float(np.mean(truth == commonest))
    confusion = confusion_matrix(truth, predicted, labels=np.arange(len(classes)))
    return Scores(
        values=MappingProxyType(values),
        sentences=MappingProxyType(describe_classes(model, values, len(truth), baseline, confusion)),
        rows=len(truth),
        baseline=baseline,
        weakness=describe_weak_classes(classes[commonest], values, baseline) if np.ptp(truth) else "",
        confusion=confusion,
        curves=curves,
    )


def outcome_curves(outcome: int, label: str, truth: Int64, probabilities: Float64) -> OutcomeCurves:
    """Return ROC and calibration of one outcome from probabilities (N, classes)."""
    from sklearn.metrics import auc, roc_curve

    positive, scores = truth == outcome, probabilities[:, outcome]
    both = bool(positive.any() and not positive.all())
    false, true, thresholds = roc_curve(positive, scores) if both else (np.zeros(0),) * 3
    calibration = calibration_bins(scores, positive)
    area = float(auc(false, true)) if both else math.nan
    return OutcomeCurves(
        outcome, label, false, true, thresholds, area, calibration.confidence, calibration.accuracy, calibration.counts
    )


def _average(values: list[float]) -> float:
    """Return the mean of the values that are defined."""
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else math.nan
