"""A whole layer: the mean square of all its values, as in DeepDream (Mordvintsev et al. 2015)."""

from __future__ import annotations

import torch

from xai_core.inside.units import Unit
from xai_core.inside.visualization.spec import OBJECTIVES, Objective
from xai_core.models.layers import Layer


def measure_layer(maps: torch.Tensor, _unit: Unit, _layer: Layer | None) -> torch.Tensor:
    """Return the mean square, (N,): what the layer already responds to grows."""
    return maps.square().mean((1, 2, 3))


# Behind the rectifier: before it, what shuts channels off would count as much as what excites them.
OBJECTIVES.add(
    Objective(
        name="layer",
        title="everything a layer responds to",
        value=measure_layer,
        unit_kind="layer",
        before_rectifier=False,
    )
)
