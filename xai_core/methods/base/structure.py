"""Properties of a network that decide which methods apply to it, found once per model on a private copy."""

from __future__ import annotations

import torch

from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.object_cache import cache_per_object
from xai_core.rules import RectifierRule


@cache_per_object
def count_rectifiers(model: Classifier) -> int:
    """Count the rectifiers between picture and scores, whether modules, functions or methods."""
    with out_of_place(), torch.enable_grad(), RectifierRule() as rule:
        isolate(model.module)(model.zero_input.requires_grad_(True))
    # mypy takes a mode for something untyped.
    count: int = rule.rectifier_count
    return count


def refuse_without_rectifier(model: Classifier) -> str | None:
    """Return the reason that a rule for rectifiers changes nothing here; None where it does."""
    if count_rectifiers(model):
        return None
    return (
        f"{model.title} has no rectifier (ReLU) on the way from the picture to its scores: "
        "this method would only repeat the plain gradient. Use saliency instead."
    )


def refuse_without_layer(model: Classifier) -> str | None:
    """Return the reason that no layer can be explained; None where one can."""
    if model.recommended_layer is None:
        return f"{model.title} has no layer that still knows where things are in the picture."
    return None
