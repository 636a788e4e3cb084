"""A network whose answer is a sum over places: each value has a weight of its own."""

from __future__ import annotations

import torch
from torch import nn

from tests.zoo_networks import make_classifier, use_plain_torch
from xai_core.models.classifier import Classifier

SIDE = 28


class Additive(nn.Module):
    """Log-odds of class 0 are a sum over all values."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.weight = nn.Parameter(torch.randn(3, SIDE, SIDE, generator=generator) / 20)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        score = (x * self.weight).sum((1, 2, 3))
        return torch.stack([score, torch.zeros_like(score)], dim=1)


def make_additive_model() -> Classifier:
    return use_plain_torch(make_classifier(Additive(), SIDE, classes=2), micro_batch=32)
