"""Exact upper quantile of each channel over all places of all pictures, with little more than that part in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from xai_core.arrays import Bool, Float32

# Share of the places that a unit's mask covers (Bau et al. 2017).
TOP_SHARE = 0.005
_QUANTILE = 0.995


def count_top(places: int) -> int:
    """Return the rank from above of the value at the quantile, as `np.quantile(..., method="higher")` counts it."""
    return places - int(np.ceil((places - 1) * _QUANTILE))


@dataclass(frozen=True, eq=False)
class Thresholds:
    """Per channel, (C,): the value T_k, the share of places above it in the mask, and how ties are dealt with."""

    values: Float32
    includes_ties: Bool
    """True where so many places share T_k that the mask takes them all: a >= T_k."""
    is_constant: Bool
    """True where the largest value is the smallest one: there is no mask."""


@dataclass(eq=False)
class TopValues:
    """Running top values of C channels; `places` is the number that will come for each of them."""

    channels: int
    places: int
    _kept: list[Float32] = field(default_factory=list)
    _hurdle: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    _lowest: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))

    def __post_init__(self) -> None:
        # One more than the quantile needs: a tie with it shows there.
        self._size = min(count_top(self.places) + 1, self.places)
        self._kept = [np.zeros(0, np.float32)] * self.channels
        self._hurdle = np.full(self.channels, -np.inf, np.float32)
        self._lowest = np.full(self.channels, np.inf, np.float32)

    def add(self, values: Float32) -> None:
        """Take in values (C, n)."""
        self._lowest = np.minimum(self._lowest, values.min(1))
        for channel in np.flatnonzero(values.max(1) > self._hurdle).tolist():
            row = values[channel]
            top = np.concatenate([self._kept[channel], row[row > self._hurdle[channel]]])
            if len(top) > self._size:
                top = np.partition(top, len(top) - self._size)[-self._size :]
            self._kept[channel] = top
            if len(top) == self._size:
                self._hurdle[channel] = top.min()

    def thresholds(self) -> Thresholds:
        """Return the quantile of each channel once all values are in."""
        top = count_top(self.places)
        ordered = np.stack([np.sort(values)[::-1] for values in self._kept])
        values, is_tied = ordered[:, top - 1], ordered[:, -1] == ordered[:, top - 1]
        is_tied &= self._size > top
        # Rectified channels tie at zero when they are nearly always off; only what is above counts there.
        return Thresholds(values, is_tied & (values > self._lowest), ordered[:, 0] <= self._lowest)
