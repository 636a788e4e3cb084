"""A direction among the channels of a layer, such as that of a concept."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from xai_core.inside.visualization.spec import OBJECTIVES, Objective
from xai_core.models.layers import Layer

# The cosine counts at least so much: a picture that points away must still have a gradient.
MIN_COSINE = 0.1


@dataclass(frozen=True)
class Direction:
    """A weight for every channel of a layer."""

    layer: str
    weights: tuple[float, ...]

    kind = "direction"

    @property
    def name(self) -> str:
        """Name for captions; a direction cannot be written as a link."""
        return f"direction:{self.layer}"


def follow_direction(maps: torch.Tensor, unit: Direction, _layer: Layer | None) -> torch.Tensor:
    """Return the mean over places of product times squared cosine, (N,): large, and little else beside it."""
    weights = torch.tensor(unit.weights, dtype=maps.dtype, device=maps.device)
    product = torch.einsum("nchw,c->nhw", maps, weights)
    cosine = product / (maps.norm(dim=1) * weights.norm()).clamp_min(1e-12)
    value: torch.Tensor = (product * cosine.clamp_min(MIN_COSINE).square()).mean((1, 2))
    return value


OBJECTIVES.add(Objective(name="direction", title="a direction among a layer's channels", value=follow_direction))
