"""The logarithm of a class's probability. The probability itself has no gradient where it is near 0 or 1."""

from __future__ import annotations

import torch

from xai_core.inside.units import Unit
from xai_core.inside.visualization.spec import OBJECTIVES, Objective
from xai_core.models.layers import Layer


def read_log_probability(logits: torch.Tensor, unit: Unit, _layer: Layer | None) -> torch.Tensor:
    """Return the logarithm of the class's probability, (N,)."""
    return logits.log_softmax(1)[:, unit.index]


OBJECTIVES.add(
    Objective(
        name="probability",
        title="the logarithm of a class's probability",
        value=read_log_probability,
        unit_kind="class",
        uses_layer=False,
    )
)
