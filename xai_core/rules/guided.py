"""Guided backpropagation: a rectifier passes back only what is positive, and only where its input was positive.

Springenberg et al. 2014, arXiv:1412.6806.
"""

from __future__ import annotations

import torch

from xai_core.rules.base import RectifierRule


class Guided(RectifierRule):
    """Each rectifier passes back the positive part of the gradient where it was open."""

    @staticmethod
    def rule(gradient: torch.Tensor, side: torch.Tensor) -> torch.Tensor:
        return torch.where((side == 0) & (gradient > 0), gradient, 0)
