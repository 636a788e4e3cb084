"""Pieces of a picture that are hidden one after the other, and their order by a map."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from xai_core.arrays import Float32, Float64, Int64
from xai_core.errors import UnknownName
from xai_core.methods.shared.superpixels import find_superpixels

# Pieces a side of the grid.
GRID = 14
# Amounts of hiding between nothing and everything.
STEPS = 33
PIECES: Mapping[str, str] = MappingProxyType({"grid": "Squares, 14 × 14", "superpixels": "Patches of similar colour"})
# Digits to which values are equal: sums of equal numbers differ in the last ones.
_DIGITS = 9


def cut_pieces(pixels: Float32, kind: str = "grid") -> Int64:
    """Return the piece of each pixel, (H, W), for a picture (H, W, C): squares, or patches of similar colour.

    Raises:
        UnknownName: `kind` is not one of PIECES.

    >>> int(cut_pieces(np.zeros((28, 28, 1), np.float32)).max()) + 1
    196
    """
    if kind not in PIECES:
        raise UnknownName.of("way to cut a picture", kind, PIECES)
    height, width = pixels.shape[:2]
    if kind == "superpixels":
        return find_superpixels(pixels, GRID * GRID)
    rows, columns = (np.arange(length) * min(GRID, length) // length for length in (height, width))
    labels: Int64 = rows[:, None] * min(GRID, width) + columns
    return labels


def average_pieces(heat: Float64, labels: Int64) -> Float64:
    """Return the mean of a map (H, W) in each piece, (pieces,)."""
    count = np.bincount(labels.ravel())
    mean: Float64 = np.bincount(labels.ravel(), heat.ravel().astype(np.float64)) / count
    return mean


def order_pieces(values: Float64, ties: Int64) -> Int64:
    """Return the pieces by value, the largest first; equal ones in the order of `ties`, a rank for each piece.

    The order of the negative values therefore differs only where values differ: a map that is the same everywhere has
    one order in both directions.
    """
    largest = float(np.abs(values).max(initial=0.0))
    rounded = np.round(values / largest, _DIGITS) if largest > 0 else values
    order: Int64 = np.lexsort((ties, -rounded))
    return order


def count_hidden(order: Int64, labels: Int64, steps: int = STEPS) -> tuple[Int64, Float64]:
    """Return how many pieces of an order are hidden at each amount from nothing to everything, and their area.

    Both (steps + 1,); the area is a share of the picture, as near to 0, 1/steps, ... 1 as whole pieces allow.
    """
    sizes = np.bincount(labels.ravel())[order] / labels.size
    area = np.concatenate([[0.0], np.cumsum(sizes)])
    area[-1] = 1.0
    amounts = np.arange(steps + 1) / steps
    after = np.searchsorted(area, amounts).clip(1, len(area) - 1)
    counts: Int64 = np.where(amounts - area[after - 1] <= area[after] - amounts, after - 1, after)
    return counts, area[counts]
