"""The class that a model is to say: it must be another one than it says already."""

from __future__ import annotations

from xai_core.errors import InvalidParam
from xai_core.models.classifier import Classifier


def check_wish(model: Classifier, source: int, target: int | None) -> None:
    """Raise InvalidParam where the model says the target already."""
    if target == source:
        raise InvalidParam(f"{model.title} says {model.labels[source]!r} already. Choose another class to aim at.")
