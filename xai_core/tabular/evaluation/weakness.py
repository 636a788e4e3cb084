"""A sentence about a model that has learnt nothing: its explanations explain noise."""

from __future__ import annotations

import math
from collections.abc import Mapping

from xai_core.formatting import number, percent, score

# R² on held-out rows below which a model explains next to nothing.
MIN_R2 = 0.05
# Area under the ROC curve from which probabilities tell rows apart, though the answers are no better than guessing.
MIN_AREA = 0.7


def describe_weak_values(name: str, r2: float) -> str:
    """Return a sentence if R² on held-out rows is under 0.05, else "", also where it is not defined.

    >>> describe_weak_values("price", 0.6)
    ''
    """
    if math.isnan(r2) or r2 >= MIN_R2:
        return ""
    rest = (
        f"always saying the average of {name} is about as good"
        if r2 >= 0
        else (f"always saying the average of {name} is better")
    )
    return (
        f"This model has learnt next to nothing: on rows that it has never seen, {rest} (R² {number(round(r2, 2))}). "
        "An explanation of its answers explains chance."
    )


def describe_weak_classes(commonest: str, scores: Mapping[str, float], baseline: float) -> str:
    """Return a sentence if the model is right no more often than naming the commonest class always, else "".

    >>> describe_weak_classes("no", {"accuracy": 0.9, "roc_auc": 0.8}, 0.7)
    ''
    """
    accuracy, area = scores["accuracy"], scores["roc_auc"]
    if accuracy > baseline:
        return ""
    rest = (
        f"Its probabilities still tell rows apart (ROC AUC {score(area)}): read those, not its answers."
        if area >= MIN_AREA
        else "An explanation of its answers explains chance."
    )
    return (
        f"This model is no better than guessing: on rows that it has never seen it is right for {percent(accuracy)}, "
        f"and always saying “{commonest}” would be right for {percent(baseline)}. {rest}"
    )
