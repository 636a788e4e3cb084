"""Redirected rectifiers: where one blocks the whole gradient of a picture, let through what brings it back to life.

After Olah et al. 2017, doi:10.23915/distill.00007: an optimization that starts where a unit is dead never leaves that
place by the true gradient, which is zero.
"""

from __future__ import annotations

import torch

from xai_core.rules.base import RectifierRule


class Redirected(RectifierRule):
    """The derivative, except for a picture whose gradient is blocked everywhere: what pushes inputs back passes there.

    The gradient has to be that of what shall become larger.
    """

    @staticmethod
    def rule(gradient: torch.Tensor, side: torch.Tensor) -> torch.Tensor:
        plain = gradient * (side == 0)
        rows = tuple(range(1, gradient.ndim))
        is_blocked = (plain == 0).all(rows, keepdim=True) if rows else plain == 0
        reviving = torch.where(side * gradient < 0, gradient, 0)
        return torch.where(is_blocked, reviving, plain)
