"""Facts about a network that decide which methods can be right on it, each found by one pass over a private copy and kept with it."""

from __future__ import annotations

import torch

from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.object_cache import cache_per_object
from xai_core.rules import RectifierRule


@cache_per_object
def rectifiers(classifier: Classifier) -> int:
    """How many rectifiers lie on the way from the picture to the scores, as modules, functions or methods."""
    with out_of_place(), torch.enable_grad(), RectifierRule() as rule:
        isolate(classifier.module)(classifier.zero_input.requires_grad_(True))
    met: int = rule.rectifier_count  # mypy takes a mode for something untyped
    return met


def without_rectifier(classifier: Classifier) -> str | None:
    """Why a rule for rectifiers changes nothing here; None where it has something to act on."""
    if rectifiers(classifier):
        return None
    return (
        f"{classifier.title} has no rectifier (ReLU) on the way from the picture to its scores: "
        "this method would only repeat the plain gradient. Use saliency instead."
    )


def without_layer(classifier: Classifier) -> str | None:
    """Why no layer can be explained; None where one can."""
    if classifier.recommended_layer is None:
        return f"{classifier.title} has no layer that still knows where things are in the picture."
    return None
