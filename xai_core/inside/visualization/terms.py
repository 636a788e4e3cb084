"""Quantities to be maximized, read from names: a unit, a weighted sum of units, or a direction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from xai_core.errors import InvalidParam
from xai_core.inside.units import Unit, UnitLike, parse_sum, parse_unit
from xai_core.inside.visualization import objectives  # noqa: F401  # registers the objectives
from xai_core.inside.visualization.objectives.direction import Direction
from xai_core.inside.visualization.spec import OBJECTIVES, Objective
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer

MAX_TERMS = 8


@dataclass(frozen=True)
class Term:
    """One part of a weighted sum: an objective, the unit it is for, that unit's layer, and its weight."""

    objective: Objective
    unit: Unit | Direction
    layer: Layer | None
    weight: float

    @property
    def name(self) -> str:
        """Name of the unit under this objective: "probability:951"."""
        return f"{self.objective.name}:{self.unit.name.partition(':')[2]}"

    def value(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the weighted value (N,) for maps of the layer (N, C, rows, columns) or for logits (N, classes)."""
        return self.weight * self.objective.value(outputs, self.unit, self.layer)


def read_terms(model: Classifier, unit: UnitLike | Direction) -> tuple[Term, ...]:
    """Return the parts of what is to be maximized; a weighted sum may mix kinds and layers.

    Raises InvalidParam or UnknownName with what is allowed.
    """
    if isinstance(unit, Direction):
        return (_read_direction(model, unit),)
    if isinstance(unit, Mapping) and len(unit) > MAX_TERMS:
        raise InvalidParam(f"A weighted sum may have up to {MAX_TERMS} units. Got {len(unit)}.")
    return tuple(
        Term(objective, subject, None if subject.layer is None else model.layer(subject.layer), weight)
        for (objective, subject), weight in parse_sum(model, unit, _read_objective)
    )


def _read_objective(model: Classifier, text: str) -> tuple[Objective, Unit]:
    """Return the objective that a name begins with, and its unit. Raises as `parse_unit` does."""
    kind, separator, rest = text.partition(":") if isinstance(text, str) else ("", "", "")
    objective = OBJECTIVES.get(kind) if kind in OBJECTIVES else None
    if objective is None or objective.unit_kind is None:
        # Refuses the name with the forms there are.
        unit = parse_unit(model, text)
        return OBJECTIVES.get(unit.kind), unit
    return objective, parse_unit(model, f"{objective.unit_kind}{separator}{rest}")


def _read_direction(model: Classifier, direction: Direction) -> Term:
    layer = model.layer(direction.layer)
    weights = direction.weights
    if len(weights) != layer.channels or not all(math.isfinite(weight) for weight in weights) or not any(weights):
        raise InvalidParam(
            f"A direction in the layer {layer.name!r} needs {layer.channels} finite numbers that are not all 0. "
            f"Got {len(weights)}."
        )
    return Term(OBJECTIVES.get(direction.kind), direction, layer, 1.0)
