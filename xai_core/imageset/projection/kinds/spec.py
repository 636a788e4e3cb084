"""What a map of pictures is (`Map`), what a way to make one is (`MapSpec`), and the registry of them."""

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
    """Pictures as points: near each other where their numbers are alike. Axes and units mean nothing by themselves."""

    points: Float32
    """(n, 2) or (n, 3), read-only."""
    rows: Int64
    """Which picture each point is, (n,): row numbers of the data it was made from."""
    kind: str
    params: Mapping[str, Value]
    seed: int
    trustworthiness: float
    """Share of true neighbours among the neighbours on the map, 0..1 (Venna and Kaski 2001)."""
    sentence: str
    """What the trustworthiness means for the reader."""
    kl: float | None = None
    """What t-SNE makes small: the Kullback-Leibler divergence, in nats. None for other kinds."""
    notes: tuple[str, ...] = ()
    """What was done to the data first, and what a reader should know."""

    def __post_init__(self) -> None:
        for name, kind in (("points", np.float32), ("rows", np.int64)):
            values = np.array(getattr(self, name), dtype=kind)
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))

    @property
    def dimensions(self) -> int:
        return int(self.points.shape[1])


@dataclass(frozen=True, eq=False)
class Layout:
    """Points (n, dimensions) as a kind of map places them, before anything is said about them."""

    points: Float32
    kl: float | None = None
    notes: tuple[str, ...] = ()


Place = Callable[[Float32, int, Mapping[str, Value], int, Job[Any]], Layout]
"""From data (n, D), dimensions, parameters, seed and job to points. Ticks `MapSpec.steps` in all."""


def _always() -> str | None:
    return None


def _one_step(_params: Mapping[str, Value]) -> int:
    return 1


@dataclass(frozen=True, kw_only=True)
class MapSpec:
    """One way to make a map: its words, its parameters and the function that places the points."""

    name: str
    title: str
    about: str
    place: Place
    params: tuple[Param, ...] = ()
    steps: Callable[[Mapping[str, Value]], int] = _one_step
    """How many steps of progress `place` ticks."""
    cost: Callable[[int], float] = float
    """Cost of so many points, in forward passes."""
    refusal: Callable[[], str | None] = _always
    """Why it cannot be made here and how to get it, or None."""
    source: str = ""
    """Authors, year, title."""


MAPS: Registry[MapSpec] = Registry("map")
