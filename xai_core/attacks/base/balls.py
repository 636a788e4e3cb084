"""Balls around a picture in grey levels: what a perturbation may be, in the two usual norms.

A picture is a tensor of levels from 0 to 255, (N, C, H, W). Whole levels are what a file can hold, so `round` stays
inside the ball too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch

# Halvings until a perturbation that rounding has made too large fits its ball again.
_HALVINGS = 24


class Ball(Protocol):
    """Pictures within `epsilon` levels of a centre (1, C, H, W)."""

    def draw(self, generator: torch.Generator, rows: int) -> torch.Tensor:
        """Return pictures of the ball, (rows, C, H, W)."""
        ...

    def direction(self, gradients: torch.Tensor) -> torch.Tensor:
        """Return the steepest perturbations of size one level for gradients (N, C, H, W)."""
        ...

    def project(self, levels: torch.Tensor) -> torch.Tensor:
        """Return the nearest pictures of the ball with levels from 0 to 255."""
        ...

    def round(self, levels: torch.Tensor) -> torch.Tensor:
        """Return pictures of the ball in whole levels, close to those of `project`."""
        ...


@dataclass(frozen=True, eq=False)
class LinfBall:
    """Every value within `epsilon` levels."""

    center: torch.Tensor
    epsilon: int

    def draw(self, generator: torch.Generator, rows: int) -> torch.Tensor:
        noise = torch.rand((rows, *self.center.shape[1:]), generator=generator).to(self.center.device)
        return self.project(self.center + (2 * noise - 1) * self.epsilon)

    def direction(self, gradients: torch.Tensor) -> torch.Tensor:
        return gradients.sign()

    def project(self, levels: torch.Tensor) -> torch.Tensor:
        low, high = (self.center - self.epsilon).clamp(min=0), (self.center + self.epsilon).clamp(max=255)
        return torch.minimum(torch.maximum(levels, low), high)

    def round(self, levels: torch.Tensor) -> torch.Tensor:
        # The bounds are whole, so rounding cannot leave them.
        return self.project(levels).round()


@dataclass(frozen=True, eq=False)
class L2Ball:
    """A root mean square of at most `epsilon` levels over all values."""

    center: torch.Tensor
    epsilon: int

    @property
    def radius(self) -> float:
        """Largest Euclidean length, in levels."""
        return float(self.epsilon * self.center.numel() ** 0.5)

    def draw(self, generator: torch.Generator, rows: int) -> torch.Tensor:
        noise = torch.randn((rows, *self.center.shape[1:]), generator=generator)
        return self.project(self.center + self.direction(noise).to(self.center.device) * self.epsilon)

    def direction(self, gradients: torch.Tensor) -> torch.Tensor:
        steepest: torch.Tensor = gradients / _lengths(gradients).clamp(min=1e-30) * self.center.numel() ** 0.5
        return steepest

    def project(self, levels: torch.Tensor) -> torch.Tensor:
        change = levels - self.center
        shrunk = self.center + change * (self.radius / _lengths(change).clamp(min=1e-30)).clamp(max=1)
        return shrunk.clamp(0, 255)

    def round(self, levels: torch.Tensor) -> torch.Tensor:
        projected = self.project(levels)
        return torch.cat([self._round_one(row[None]) for row in projected])

    def _round_one(self, levels: torch.Tensor) -> torch.Tensor:
        """Return one rounded picture; its perturbation is scaled down until it fits, since rounding may enlarge it."""
        whole = levels.round()
        if self._contains(whole):
            return whole
        low, high, best = 0.0, 1.0, self.center
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            whole = (self.center + (levels - self.center) * middle).round()
            low, high, best = (middle, high, whole) if self._contains(whole) else (low, middle, best)
        return best

    def _contains(self, levels: torch.Tensor) -> bool:
        return float(_lengths((levels - self.center).double())) <= self.radius


def _lengths(rows: torch.Tensor) -> torch.Tensor:
    """Return the Euclidean length of each row, (N, 1, 1, 1)."""
    lengths: torch.Tensor = rows.flatten(1).norm(dim=1)
    return lengths.view(-1, 1, 1, 1)


BALLS: Mapping[str, Callable[[torch.Tensor, int], Ball]] = {"linf": LinfBall, "l2": L2Ball}
