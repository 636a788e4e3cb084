"""A trained network of a lab as a Classifier, which every explanation takes like any other."""

from __future__ import annotations

import torch
from torch import nn

from xai_core.labs.training import STEPS
from xai_core.models.classifier import Classifier, Preprocessing
from xai_core.models.weights import state_sha256


def make_classifier(
    name: str, title: str, module: nn.Module, labels: tuple[str, ...], preprocessing: Preprocessing = STEPS
) -> Classifier:
    """Return the classifier of a trained module, kept alive by whoever holds it; no registry knows it."""
    return Classifier(
        name=name,
        title=title,
        family="lab",
        module=module,
        preprocessing=preprocessing,
        labels=labels,
        weights_sha256=state_sha256(module),
        device=torch.device("cpu"),
    )
