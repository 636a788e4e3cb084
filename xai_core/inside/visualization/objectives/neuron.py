"""One place of a channel."""

from __future__ import annotations

import torch

from xai_core.inside.units import Unit
from xai_core.inside.visualization.spec import OBJECTIVES, Objective
from xai_core.models.layers import Layer


def read_neuron(maps: torch.Tensor, unit: Unit, layer: Layer | None) -> torch.Tensor:
    """Return the neuron's value, (N,); on a grid of another size it is the neuron at the same part of the picture."""
    place = unit.place or (0, 0)
    grid = layer.grid if layer is not None else maps.shape[2:]
    row, column = ((2 * at + 1) * now // (2 * own) for at, now, own in zip(place, maps.shape[2:], grid, strict=True))
    return maps[:, unit.index, row, column]


OBJECTIVES.add(Objective(name="neuron", title="one place of a channel", value=read_neuron, unit_kind="neuron"))
