"""One plain sentence for each score of a table model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from xai_core.arrays import Int64
from xai_core.formatting import number, percent, score

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel


def describe_values(model: TabularModel, scores: Mapping[str, float], baseline: float) -> dict[str, str]:
    """Return a sentence for each score of a regression, and for the cross-validation where there was one."""
    name, mae, mse = model.table.target_name, scores["mae"], scores["mse"]
    return {
        "mae": f"On average the answer is {number(mae)} too high or too low. "
        f"Always saying the average of {name} would be {number(baseline)} off.",
        "mse": f"The errors squared are {number(mse)} on average. The root of that, {number(math.sqrt(mse))}, "
        "is the usual error when large ones count more.",
        "r2": _describe_r2(name, scores["r2"]),
    } | _describe_folds(model)


def describe_classes(
    model: TabularModel, scores: Mapping[str, float], rows: int, baseline: float, confusion: Int64
) -> dict[str, str]:
    """Return a sentence for each score of a classification, the commonest mistake and the cross-validation."""
    two = len(model.table.classes) == 2
    label = f"“{model.table.classes[-1]}”"
    right = round(scores["accuracy"] * rows)
    sentences = {
        "accuracy": f"The model is right for {right:,} of {rows:,} held-out rows ({percent(scores['accuracy'])}). "
        f"Always giving the commonest answer would be right for {percent(baseline)}.",
        "f1": f"Precision and recall together are {percent(scores['f1'])}, where 100 % is perfect. "
        "It is low as soon as one of the two is.",
        "roc_auc": _describe_auc(label if two else "an outcome", scores["roc_auc"]),
        "calibration": f"The probabilities are {100 * scores['calibration']:.1f} percentage points off on average: "
        "of rows given 80 %, about 80 % should be so.",
    }
    rates = _describe_two(confusion, label) if two else _describe_many(scores["precision"], scores["recall"])
    return sentences | rates | {"confusion": _describe_mistake(model.table.classes, confusion)} | _describe_folds(model)


def _describe_r2(name: str, r2: float) -> str:
    if math.isnan(r2):
        return "All held-out rows have the same value, so there is nothing to explain."
    if r2 < 0:
        return f"The model is worse than always saying the average of {name}."
    return (
        f"The model explains {percent(r2)} of the differences in {name}. "
        "0 % would be no better than always saying the average."
    )


def _describe_two(confusion: Int64, label: str) -> dict[str, str]:
    called, true, hits = int(confusion[:, 1].sum()), int(confusion[1].sum()), int(confusion[1, 1])
    precision = f"Of {called:,} rows that the model calls {label}, {hits:,} are ({percent(hits / max(called, 1))})."
    recall = f"Of {true:,} rows that are {label}, the model finds {hits:,} ({percent(hits / max(true, 1))})."
    return {
        "precision": precision if called else f"The model calls no held-out row {label}.",
        "recall": recall if true else f"No held-out row is {label}.",
    }


def _describe_many(precision: float, recall: float) -> dict[str, str]:
    return {
        "precision": f"When the model names an outcome, it is right in {percent(precision)} of the cases, "
        "averaged over the outcomes.",
        "recall": f"Of the rows of an outcome, the model finds {percent(recall)}, averaged over the outcomes.",
    }


def _describe_auc(label: str, area: float) -> str:
    if math.isnan(area):
        return "The held-out rows hold only one outcome, so the order of the probabilities cannot be judged."
    return (
        f"Of a row that is {label} and one that is not, the first gets the higher probability "
        f"in {percent(area)} of the cases. Guessing would give 50 %."
    )


def _describe_mistake(classes: tuple[str, ...], confusion: Int64) -> str:
    wrong = confusion - np.diag(np.diag(confusion))
    if not wrong.sum():
        return "The model makes no mistake on the held-out rows."
    truth, predicted = np.unravel_index(int(wrong.argmax()), wrong.shape)
    count = int(wrong[truth, predicted])
    rows = f"{count:,} rows that are" if count != 1 else "1 row that is"
    return f"The commonest mistake: {rows} “{classes[truth]}” called “{classes[predicted]}”."


def _describe_folds(model: TabularModel) -> dict[str, str]:
    folds = model.cross_validation
    if not folds:
        return {}
    metric, write = ("R²", score) if model.table.task == "regression" else ("accuracy", percent)
    sentence = (
        f"Trained {len(folds)} times on other parts of the training rows and asked about the rest, its {metric} was "
        f"{write(float(np.mean(folds)))} on average, from {write(min(folds))} to {write(max(folds))}."
    )
    return {"cross_validation": sentence}
