"""One plain sentence for each score of a set of pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from xai_core.arrays import Int64
from xai_core.formatting import percent

if TYPE_CHECKING:
    from xai_core.imageset.analysis.scores import ClassScore


def sentences(
    values: Mapping[str, float], count: int, classes: Sequence[ClassScore], confusion: Int64, off: float
) -> dict[str, str]:
    """A sentence for each of `values`, for the calibration error `off` and for the commonest mistake."""
    occurring = sum(each.count > 0 for each in classes)
    over = "" if occurring == 1 else f", averaged over the {occurring} classes"
    return {
        "accuracy": f"The model is right for {round(values['accuracy'] * count):,} of {count:,} pictures ({percent(values['accuracy'])}). "
        f"{_guessing(classes, count)}",
        "top5": f"For {percent(values['top5'])} of the pictures the right class is among the five that the model finds likeliest.",
        "precision": f"When the model names one of these classes, it is right in {percent(values['precision'])} of the cases{over}.",
        "recall": f"Of the pictures of a class the model finds {percent(values['recall'])}{over}.",
        "f1": f"Precision and recall together are {_below_one(values['f1'])}, where 1 is perfect. It is low as soon as one of the two is.",
        "auc": _ranking(values["auc"]),
        "calibration": _calibrated(off),
        "confusion": _worst(classes, confusion),
    }


def _below_one(value: float) -> str:
    """With two digits; 1.00 is said of what is perfect alone."""
    return f"{min(value, 0.99) if value < 1 else value:.2f}"


def _guessing(classes: Sequence[ClassScore], count: int) -> str:
    commonest = max(classes, key=lambda each: each.count)
    return f"Always saying “{commonest.name}” would be right for {percent(commonest.count / count)}."


def _ranking(area: float) -> str:
    if math.isnan(area):
        return "All pictures are of one class, so the order of the probabilities cannot be judged."
    return (
        f"Of a picture of a class and one of another class, the first gets the higher probability for it in {percent(area)} of the cases. "
        "Guessing would give 50 %."
    )


def _calibrated(off: float) -> str:
    return (
        f"The model's probabilities are {100 * off:.1f} percentage points off on average: of the pictures for which it says 80 %, "
        "about 80 % should be right."
    )


def _worst(classes: Sequence[ClassScore], confusion: Int64) -> str:
    wrong = confusion - np.diag(np.diag(confusion))
    if not wrong.sum():
        return "The model makes no mistake on these pictures."
    truth, said = divmod(int(wrong.argmax()), wrong.shape[1])
    times = int(wrong[truth, said])
    pictures = f"{times:,} pictures" if times != 1 else "1 picture"
    return f"The commonest mistake: {pictures} of “{classes[truth].name}” called “{classes[said].name}”."
