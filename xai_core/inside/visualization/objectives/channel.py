"""The mean of a channel over all places."""

from __future__ import annotations

import torch

from xai_core.inside.units import Unit
from xai_core.inside.visualization.spec import OBJECTIVES, Objective
from xai_core.models.layers import Layer


def average_channel(maps: torch.Tensor, unit: Unit, _layer: Layer | None) -> torch.Tensor:
    """Return the channel's mean, (N,)."""
    return maps[:, unit.index].mean((1, 2))


OBJECTIVES.add(Objective(name="channel", title="the mean of a channel", value=average_channel, unit_kind="channel"))
