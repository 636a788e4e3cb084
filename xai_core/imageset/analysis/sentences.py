"""One plain sentence for each score of a set of pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from xai_core.arrays import Int64
from xai_core.formatting import percent


def write_sentences(
    values: Mapping[str, float], names: Sequence[str], counts: Sequence[int], confusion: Int64, calibration_error: float
) -> dict[str, str]:
    """Return a sentence for each of `values`, for the calibration error and for the commonest mistake.

    `names` and `counts` are those of the classes, in the order of the confusion matrix.
    """
    total, accuracy = sum(counts), values["accuracy"]
    occurring = sum(count > 0 for count in counts)
    averaged = "" if occurring == 1 else f", averaged over the {occurring} classes"
    right = percent(values["precision"])
    return {
        "accuracy": f"The model is right for {round(accuracy * total):,} of {total:,} pictures ({percent(accuracy)}). "
        f"{_guessing_sentence(names, counts)}",
        "top5": f"For {percent(values['top5'])} of the pictures the right class is among the five "
        "that the model finds likeliest.",
        "precision": f"When the model names one of these classes, it is right in {right} of the cases{averaged}.",
        "recall": f"Of the pictures of a class the model finds {percent(values['recall'])}{averaged}.",
        "f1": f"Precision and recall together are {percent(values['f1'])}, where 100 % is perfect. "
        "It is low as soon as one of the two is.",
        "auc": _ranking_sentence(values["auc"]),
        "calibration": f"The model's probabilities are {100 * calibration_error:.1f} percentage points off on average: "
        "of the pictures for which it says 80 %, about 80 % should be right.",
        "confusion": _mistake_sentence(names, confusion),
    }


def _guessing_sentence(names: Sequence[str], counts: Sequence[int]) -> str:
    commonest = int(np.argmax(counts))
    return f"Always saying “{names[commonest]}” would be right for {percent(counts[commonest] / sum(counts))}."


def _ranking_sentence(area: float) -> str:
    if math.isnan(area):
        return "All pictures are of one class, so the order of the probabilities cannot be judged."
    return (
        "Of a picture of a class and one of another class, the first gets the higher probability for it "
        f"in {percent(area)} of the cases. Guessing would give 50 %."
    )


def _mistake_sentence(names: Sequence[str], confusion: Int64) -> str:
    wrong = confusion - np.diag(np.diag(confusion))
    if not wrong.sum():
        return "The model makes no mistake on these pictures."
    truth, predicted = divmod(int(wrong.argmax()), wrong.shape[1])
    times = int(wrong[truth, predicted])
    pictures = f"{times:,} pictures" if times != 1 else "1 picture"
    return f"The commonest mistake: {pictures} of “{names[truth]}” called “{names[predicted]}”."
