"""What comes out when the score is followed along one feature or over two."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.tabular.inspection.grid import Distribution

Method = Literal["partial dependence", "accumulated local effects"]


@dataclass(frozen=True, eq=False)
class Effect:
    """The score along one feature: its average over rows and, for partial dependence, single rows' lines."""

    feature: str
    outcome: str
    """What the score is: "probability of yes", or the target's name."""
    method: Method
    grid: npt.NDArray[Any]
    """(G,) values of the feature, ascending: float64, or names of categories."""
    average: Float64
    """(G,) score; for accumulated local effects the difference to the average prediction."""
    individual: Float64 | None
    """(n, G) one line a row of `rows`; None where they were not asked for."""
    rows: Int64
    """(n,) numbers of the table's rows whose lines these are."""
    distribution: Distribution
    empty: npt.NDArray[np.bool_]
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
        """(G,) the average from 0 at the left."""
        found: Float64 = self.average - self.average[0]
        return found


@dataclass(frozen=True, eq=False)
class Effect2D:
    """The score over two features."""

    features: tuple[str, str]
    outcome: str
    method: Method
    grids: tuple[npt.NDArray[Any], npt.NDArray[Any]]
    """(A,) and (B,) values of the two features."""
    average: Float64
    """(A, B) score; for accumulated local effects what the two do together beyond what each does alone."""
    empty: npt.NDArray[np.bool_]
    """(A, B) True where no row of the table has both values near."""
    extrapolation_share: float
    """Share, 0 to 1, of all pairs of the two features' values that do not occur in the data."""
    notes: tuple[str, ...] = ()
