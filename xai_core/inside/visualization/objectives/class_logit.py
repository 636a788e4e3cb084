"""The logit of a class: the score before scores become probabilities."""

from __future__ import annotations

import torch

from xai_core.inside.units import Unit
from xai_core.inside.visualization.spec import OBJECTIVES, Objective
from xai_core.models.layers import Layer


def read_logit(logits: torch.Tensor, unit: Unit, _layer: Layer | None) -> torch.Tensor:
    """Return the class's logit, (N,)."""
    return logits[:, unit.index]


OBJECTIVES.add(
    Objective(
        name="class",
        title="the logit of a class",
        value=read_logit,
        unit_kind="class",
        uses_layer=False,
        is_linear=True,
    )
)
