"""One plain sentence for each score."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from xai_core.tabular.evaluation.scores import Scores
    from xai_core.tabular.models.table_model import TabularModel


def sentences(model: TabularModel, scores: Scores) -> dict[str, str]:
    """A sentence for each of `scores.values`, and for the cross-validation where there was one."""
    if model.table.task == "regression":
        said = _of_values(model, scores)
    else:
        said = _of_classes(model, scores) | {"confusion": _worst_mistake(model, scores)}
    if model.cross_validation:
        said["cross_validation"] = _of_folds(model)
    return said


def _of_values(model: TabularModel, scores: Scores) -> dict[str, str]:
    name, mae, mse, r2 = model.table.target_name, scores.values["mae"], scores.values["mse"], scores.values["r2"]
    return {
        "mae": f"On average the answer is {number(mae)} too high or too low. Always saying the average of {name} would be "
        f"{number(scores.baseline)} off.",
        "mse": f"The errors squared are {number(mse)} on average. The root of that, {number(math.sqrt(mse))}, "
        "is the usual error when large ones count more.",
        "r2": _explained(name, r2),
    }


def _explained(name: str, r2: float) -> str:
    if math.isnan(r2):
        return "All held-out rows have the same value, so there is nothing to explain."
    if r2 < 0:
        return f"The model is worse than always saying the average of {name}."
    return f"The model explains {percent(r2)} of the differences in {name}. 0 % would be no better than always saying the average."


def _of_classes(model: TabularModel, scores: Scores) -> dict[str, str]:
    values = scores.values
    two = len(model.table.classes) == 2
    label = f"“{model.table.classes[-1]}”"
    right = round(values["accuracy"] * scores.rows)
    said = {
        "accuracy": f"The model is right for {right:,} of {scores.rows:,} held-out rows ({percent(values['accuracy'])}). "
        f"Always giving the commonest answer would be right for {percent(scores.baseline)}.",
        "f1": f"Precision and recall together are {values['f1']:.2f}, where 1 is perfect. It is low as soon as one of the two is.",
        "roc_auc": _ranking(label if two else "an outcome", values["roc_auc"]),
        "calibration": f"The probabilities are {100 * values['calibration']:.1f} percentage points off on average: of rows given 80 %, "
        "about 80 % should be so.",
    }
    return said | (_of_two(scores, label) if two else _of_many(values["precision"], values["recall"]))


def _of_two(scores: Scores, label: str) -> dict[str, str]:
    confusion = np.zeros((2, 2)) if scores.confusion is None else scores.confusion
    called, true, hits = int(confusion[:, 1].sum()), int(confusion[1].sum()), int(confusion[1, 1])
    precision = f"Of {called:,} rows that the model calls {label}, {hits:,} are ({percent(hits / max(called, 1))})."
    recall = f"Of {true:,} rows that are {label}, the model finds {hits:,} ({percent(hits / max(true, 1))})."
    return {
        "precision": precision if called else f"The model calls no held-out row {label}.",
        "recall": recall if true else f"No held-out row is {label}.",
    }


def _of_many(precision: float, recall: float) -> dict[str, str]:
    return {
        "precision": f"When the model names an outcome, it is right in {percent(precision)} of the cases, averaged over the outcomes.",
        "recall": f"Of the rows of an outcome, the model finds {percent(recall)}, averaged over the outcomes.",
    }


def _ranking(label: str, area: float) -> str:
    if math.isnan(area):
        return "The held-out rows hold only one outcome, so the order of the probabilities cannot be judged."
    return (
        f"Of a row that is {label} and one that is not, the first gets the higher probability in {percent(area)} of the cases. "
        "Guessing would give 50 %."
    )


def _worst_mistake(model: TabularModel, scores: Scores) -> str:
    wrong = np.zeros((1, 1)) if scores.confusion is None else scores.confusion - np.diag(np.diag(scores.confusion))
    if not wrong.sum():
        return "The model makes no mistake on the held-out rows."
    truth, said = np.unravel_index(int(wrong.argmax()), wrong.shape)
    count = int(wrong[truth, said])
    rows = f"{count:,} rows that are" if count != 1 else "1 row that is"
    return f"The commonest mistake: {rows} “{model.table.classes[truth]}” called “{model.table.classes[said]}”."


def _of_folds(model: TabularModel) -> str:
    folds = model.cross_validation
    what = "R²" if model.table.task == "regression" else "accuracy"
    return (
        f"Trained {len(folds)} times on other parts of the training rows and asked about the rest, its {what} was "
        f"{np.mean(folds):.2f} on average, from {min(folds):.2f} to {max(folds):.2f}."
    )


def percent(share: float) -> str:
    """A share as a person writes it: 73.2 %, 5 %; 100 % is said of all alone."""
    return f"{min(100 * share, 99.9) if share < 1 else 100 * share:.1f}".removesuffix(".0") + " %"


def number(value: float) -> str:
    """A number with about three digits that count: 3,210, 4.25, 0.00123."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
