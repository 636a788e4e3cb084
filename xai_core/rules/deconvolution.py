"""Deconvolution: a rectifier passes back what is positive, wherever its own input lay.

Zeiler & Fergus 2013, arXiv:1311.2901. Max-pooling goes back through the places it chose, the switches of the paper, as
in any gradient.
"""

from __future__ import annotations

import torch

from xai_core.rules.base import RectifierRule


class Deconvolution(RectifierRule):
    """Each rectifier passes back the positive part of the gradient; whether it was open does not matter."""

    @staticmethod
    def rule(gradient: torch.Tensor, side: torch.Tensor) -> torch.Tensor:
        return torch.where(gradient > 0, gradient, 0)
