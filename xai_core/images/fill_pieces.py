"""Fill for many selections of the same pieces: touching pieces are filled once, for all selections they occur in.

A hidden pixel depends on visible ones through hidden neighbours alone, so hidden areas that do not touch do not depend
on each other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from xai_core.arrays import Bool, Float32, Int64
from xai_core.images.fill import GRID, fill

# Areas of touching pieces that are remembered, of at most one picture each.
MAX_AREAS = 96


def make_piece_filler(pixels: Float32, labels: Int64) -> Callable[[Bool], Float32]:
    """Return a function from hidden pieces (pieces,) to pixels (H, W, C), equal to `fill` of all of them.

    `labels` (H, W) is the number of the piece at each pixel.

    >>> pixels, labels = np.linspace(0, 1, 9, dtype=np.float32).reshape(3, 3, 1), np.arange(9).reshape(3, 3)
    >>> round(float(make_piece_filler(pixels, labels)(np.arange(9) == 4)[1, 1, 0]), 3)
    0.5
    """
    touching = find_touching(labels)

    @lru_cache(maxsize=MAX_AREAS)
    def fill_area(pieces: frozenset[int]) -> tuple[tuple[slice, slice], Bool, Float32]:
        hidden = np.isin(labels, list(pieces))
        rows, columns = (np.flatnonzero(hidden.any(axis=axis)) for axis in (1, 0))
        # One visible pixel around it, and the same grid as in the whole picture.
        box = (_widen(rows), _widen(columns))
        mask = hidden[box]
        return box, mask, fill(pixels[box], mask)[mask]

    def compose(part: Bool) -> Float32:
        result, members = pixels.copy(), np.flatnonzero(part)
        if not len(members):
            return result
        count, areas = connected_components(touching[members][:, members], directed=False)
        for area in range(count):
            box, mask, values = fill_area(frozenset(members[areas == area].tolist()))
            result[box][mask] = values
        return result

    return compose


def _widen(places: Int64) -> slice:
    return slice(max(int(places[0]) - 1, 0) // GRID * GRID, int(places[-1]) + 2)


def find_touching(labels: Int64) -> sparse.csr_matrix:
    """Return which pieces touch, across corners too, (pieces, pieces)."""
    count, pairs = int(labels.max()) + 1, []
    for first, second in (
        (labels[1:], labels[:-1]),
        (labels[:, 1:], labels[:, :-1]),
        (labels[1:, 1:], labels[:-1, :-1]),
        (labels[1:, :-1], labels[:-1, 1:]),
    ):
        pairs.append(np.stack([first.ravel(), second.ravel()])[:, (first != second).ravel()])
    rows, columns = np.unique(np.concatenate(pairs, axis=1), axis=1)
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count))
