"""The declaration of a metric (`MetricSpec`) and the registry of all metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Literal

from xai_core.formatting import duration
from xai_core.registry import Registry
from xai_core.trust.metrics.base.request import MetricRequest

Direction = Literal["more", "less", "none"]
Form = Literal["number", "share", "yes or no"]


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """One metric as data, and its `run`."""

    name: str
    title: str
    """In plain words, for the head of a column."""
    technical: str
    """The name in the literature."""
    question: str
    """The question it answers, in plain words."""
    direction: Direction
    """Better end; "none" for a description: neither is better."""
    low: float
    high: float
    """Range of the values; infinite where it has no end."""
    form: Form = "number"
    """The way its values are written."""
    source: str
    run: Callable[[MetricRequest], float]
    """Raises NotApplicable where its question does not arise, with the reason."""
    order: int
    """Place among the columns."""
    maps: int = 0
    """Maps of changed pictures that it makes."""
    max_seconds: float = inf
    """Time of one map from which on it is not measured."""
    passes: int = 0
    """Pictures that it asks the model about itself."""
    part_of: str = ""
    """Name of the metric whose pictures answer this question too."""

    @property
    def cost(self) -> str:
        """Work beyond the map itself, in words."""
        if self.part_of:
            return f"none beyond “{self.part_of}”"
        if self.maps:
            return f"{self.maps} more maps, where one takes less than {duration(self.max_seconds)}"
        return f"{self.passes} pictures" if self.passes else "none"


METRICS: Registry[MetricSpec] = Registry("metric", order=lambda spec: (spec.order, spec.name))
