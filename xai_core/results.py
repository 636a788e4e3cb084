"""What comes out: predictions, attributions and the checks on them. Frozen, with their provenance; needs no torch to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from xai_core.params import Value

Floats = npt.NDArray[np.float32]
Level = Literal["green", "amber", "red"]
Target = int | tuple[int, int]


@dataclass(frozen=True)
class Prediction:
    """The likeliest classes, best first: (index, label, probability between 0 and 1)."""

    classes: tuple[tuple[int, str, float], ...]


@dataclass(frozen=True)
class Check:
    """One question asked of a map: may it be trusted? `value` is the number behind the sentence, if there is one."""

    name: str
    level: Level
    sentence: str
    value: float | None = None


@dataclass(frozen=True)
class Attribution:
    """A map of evidence on the model's input grid, with everything needed to compute it again.

    `values` is float32, read-only and signed, (H, W) or (C, H, W) for methods that speak per channel; positive is evidence
    for the target. `quantity` is what was explained (usually the target's logit), `unit` what the values themselves are measured in.
    """

    values: Floats
    method: str
    model: str
    layer: str | None
    target: Target
    label: str
    quantity: str
    params: Mapping[str, Value]
    seed: int
    evaluations: int
    seconds: float
    image_sha256: str
    versions: Mapping[str, str]
    unit: str = "logit"
    checks: tuple[Check, ...] = ()
    details: Mapping[str, float] = field(default_factory=dict)
    """Numbers the method itself reports: a completeness gap, steps used, a surrogate's R²."""

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float32)  # a copy: the caller's array stays its own
        if values.ndim not in (2, 3):
            raise ValueError(f"an attribution has shape (H, W) or (C, H, W), got {values.shape}")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        for name in ("params", "versions", "details"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def heatmap(self) -> Floats:
        """The map as one number a pixel, (H, W): channels summed, since contributions add up."""
        if self.values.ndim == 2:
            return self.values
        heat: Floats = self.values.sum(axis=0)
        heat.flags.writeable = False
        return heat

    @property
    def level(self) -> Level:
        """The worst level of all checks: what the badge on the map says."""
        levels = {check.level for check in self.checks}
        return "red" if "red" in levels else "amber" if "amber" in levels else "green"
