"""Channels of a layer that rise and fall with one of them over the pictures of a set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.errors import InvalidParam, NotApplicable

# Above this likeness, one of two channels says nothing that the other does not say.
REDUNDANT = 0.9


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The channels most like one, (k,), the most alike first, with their cosine to it, (k,)."""

    channels: Int64
    cosines: Float64

    @property
    def redundant(self) -> tuple[int, ...]:
        """Channels that say the same."""
        return tuple(self.channels[self.cosines > REDUNDANT].tolist())


def find_neighbours(values: npt.ArrayLike, channel: int, count: int = 6) -> Neighbours:
    """Return the channels most like one, from pooled activations of pictures, (N, C).

    Likeness is the cosine of their values over the pictures, each less its own mean: of values that are never negative,
    all would look alike. Raises InvalidParam, and NotApplicable for a channel that says the same to every picture.

    >>> find_neighbours([[0, 0, 5], [1, 2, 5], [2, 4, 6]], 0, 1).channels.tolist()
    [1]
    """
    table = np.asarray(values, dtype=np.float64)
    if not 0 <= channel < table.shape[1]:
        raise InvalidParam(f"The layer has channels 0 to {table.shape[1] - 1}. Got {channel}.")
    centred = table - table.mean(0)
    lengths = np.linalg.norm(centred, axis=0)
    silent = lengths <= 1e-9 * max(float(lengths.max(initial=0.0)), 1e-12)
    if silent[channel]:
        raise NotApplicable("This channel has the same value for every picture of the set, so it has no neighbours.")
    cosines = centred.T @ centred[:, channel] / np.where(silent, 1.0, lengths) / lengths[channel]
    cosines[silent] = 0.0
    # No channel is a neighbour of its own.
    cosines[channel] = -np.inf
    order = np.argsort(-cosines, kind="stable")[: min(count, table.shape[1] - 1)]
    return Neighbours(order, cosines[order])
