"""Effects of one or two features on the score: the results of partial dependence and accumulated local effects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy.typing as npt

from xai_core.arrays import Bool, Float64, Int64
from xai_core.tabular.inspection.grid import Distribution

Method = Literal["partial dependence", "accumulated local effects"]


@dataclass(frozen=True, eq=False)
class Effect:
    """The score along one feature: its average over rows and, for partial dependence, single rows' lines."""

    feature: str
    outcome: str
    """Words for the score: "probability of yes", or the target's name."""
    method: Method
    grid: npt.NDArray[Any]
    """(G,) values of the feature, ascending: float64, or names of categories."""
    average: Float64
    """(G,) score; for accumulated local effects the difference to the average prediction."""
    individual: Float64 | None
    """(n, G) one line for each of `rows`, or None."""
    rows: Int64
    """(n,) numbers of the table's rows whose lines these are."""
    distribution: Distribution
    empty: Bool
    """(G,) True where no row of the table has a value near."""
    notes: tuple[str, ...] = ()

    @property
    def categorical(self) -> bool:
        return self.grid.dtype == object

    @cached_property
    def centred_lines(self) -> Float64 | None:
        """(n, G) lines that all start at 0, so that only their shape differs; parallel ones mean no interaction."""
        return None if self.individual is None else self.individual - self.individual[:, :1]

    @property
    def centred_average(self) -> Float64:
        """(G,) average that starts at 0."""
        centred: Float64 = self.average - self.average[0]
        return centred


@dataclass(frozen=True, eq=False)
class Effect2D:
    """The score over two features."""

    features: tuple[str, str]
    outcome: str
    method: Method
    grids: tuple[npt.NDArray[Any], npt.NDArray[Any]]
    """(A,) and (B,) values of the two features."""
    average: Float64
    """(A, B) score; for accumulated local effects the effect of both together beyond that of each alone."""
    empty: Bool
    """(A, B) True where no row of the table has both values near."""
    extrapolation_share: float
    """Share, 0 to 1, of all pairs of the two features' values that do not occur in the data."""
    notes: tuple[str, ...] = ()
