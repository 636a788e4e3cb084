"""Descriptions of objectives and parametrizations, and the registries that their files fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from xai_core.inside.units import Kind
from xai_core.inside.visualization.views import ViewRange
from xai_core.models.layers import Layer
from xai_core.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A number per picture that an optimization raises or lowers; its name is the kind of the units it is for."""

    name: str
    title: str
    """Words for a visitor: "the mean of a channel"."""
    value: Callable[[torch.Tensor, Any, Layer | None], torch.Tensor]
    """Takes maps (N, C, rows, columns) of the unit's layer, or logits (N, classes), and the unit; gives (N,)."""
    unit_kind: Kind | None = None
    """Kind of the unit as `parse_unit` reads it; None where the unit is no text."""
    uses_layer: bool = True
    before_rectifier: bool = True
    """True if it reads what enters a rectifier where the layer ends with one: behind it the gradient may be zero."""
    is_linear: bool = False
    """True for a weighted sum of logits: its slopes are the same for every picture."""


OBJECTIVES: Registry[Objective] = Registry("objective")


@dataclass(frozen=True)
class CanvasRequest:
    """Pictures to begin with: `shape` is (pictures, channels, height, width)."""

    shape: tuple[int, int, int, int]
    generator: torch.Generator
    start: torch.Tensor | None
    """Pictures to begin with, in 0..1: (1, C, height, width), or one for each picture; None for noise."""
    smoother: float
    """Power of the frequency by which fine detail is held back, on top of the parametrization's own."""


class Canvas(Protocol):
    """Pictures under optimization."""

    def render(self) -> torch.Tensor:
        """Return the pictures, (P, C, H, W) in 0..1, differentiable by the parameters."""

    def update(self, gradient: torch.Tensor) -> None:
        """Take one step up the gradient of the objective by the pictures, (P, C, H, W)."""


@dataclass(frozen=True, kw_only=True)
class Parametrization:
    """A way to write a picture as numbers to optimize, with the settings it works best with."""

    name: str
    title: str
    technical: str
    sentence: str
    """One sentence for a visitor: how such pictures come about and look."""
    make: Callable[[CanvasRequest], Canvas]
    steps: int
    views: int
    """Views of each picture in one step, each with a gradient of its own."""
    canvas_share: float
    """Side of the picture in sides of what the network is shown."""
    view_range: ViewRange
    photo_steps: int
    """Steps where it starts from a photograph."""
    octaves: tuple[float, ...] = (1.0,)
    """Sizes at which a photograph is worked on, one after the other, in shares of the last."""
    starts_from_photo: bool = True


PARAMETRIZATIONS: Registry[Parametrization] = Registry("way to draw")
