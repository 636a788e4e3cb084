"""Description of a kind of map, its result, and the registry of kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from xai_core.arrays import Float32, Int64
from xai_core.engine.jobs import Job
from xai_core.params import Param, Value
from xai_core.registry import Registry


@dataclass(frozen=True, eq=False)
class Map:
    """Pictures as points, near each other where their numbers are alike. Axes and units mean nothing by themselves."""

    points: Float32
    """(n, 2) or (n, 3), read-only."""
    rows: Int64
    """Picture of each point, (n,): row numbers of the data it was made from."""
    kind: str
    params: Mapping[str, Value]
    seed: int
    trustworthiness: float
    """Share of true neighbours among the neighbours on the map, 0..1 (Venna and Kaski 2001)."""
    sentence: str
    """The trustworthiness in words."""
    kl: float | None = None
    """Loss of t-SNE, the Kullback-Leibler divergence, in nats; None for other kinds."""
    notes: tuple[str, ...] = ()
    """Steps applied to the data first, and cautions for the reader."""

    def __post_init__(self) -> None:
        for name, dtype in (("points", np.float32), ("rows", np.int64)):
            values = np.array(getattr(self, name), dtype=dtype)
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))

    @property
    def dimensions(self) -> int:
        return int(self.points.shape[1])


@dataclass(frozen=True, eq=False)
class Layout:
    """Points (n, dimensions) as a kind of map places them, before they are judged."""

    points: Float32
    kl: float | None = None
    notes: tuple[str, ...] = ()


# From data (n, D), dimensions, parameters, seed and job to points. Ticks `MapSpec.count_steps` in all.
Place = Callable[[Float32, int, Mapping[str, Value], int, Job[Any]], Layout]


@dataclass(frozen=True, kw_only=True)
class MapSpec:
    """One way to make a map: its words, its parameters and the function that places the points."""

    name: str
    title: str
    about: str
    place: Place
    params: tuple[Param, ...] = ()
    count_steps: Callable[[Mapping[str, Value]], int] = lambda _params: 1
    """Steps of progress that `place` ticks."""
    cost: Callable[[int], float] = float
    """Cost of so many points, in forward passes."""
    refusal: Callable[[], str | None] = lambda: None
    """Reason why it cannot be made here and how to get it, or None."""
    source: str = ""
    """Authors, year, title."""


MAPS: Registry[MapSpec] = Registry("map")
