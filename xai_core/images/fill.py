"""Fill for a hidden part of a picture: each hidden pixel is a weighted mean of its neighbours, seen or filled.

Weights as in ROAD: 1/6 beside, above and below, 1/12 across a corner. Source: Rong, Leemann, Borisov, Kasneci and
Kasneci, "A Consistent and Efficient Evaluation Strategy for Attribution Methods" (ICML 2022, arXiv:2202.00449).

Far from what is visible the result is smooth: there only every fourth pixel of a row and of a column is an unknown of
the system, and those between are interpolated. That is exact for constants and ramps.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu

from xai_core.arrays import Bool, Float32, Float64, Int64, UInt8
from xai_core.errors import InvalidParam

Pixels = TypeVar("Pixels", Float32, Float64, UInt8)
# Rows and columns from one unknown to the next, far from what is visible.
GRID = 4
# Pixels between what is visible and the first interpolated one.
MARGIN = 3
# A pixel and its neighbours, row by row, with their weights.
_STEPS = tuple((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1))
_WEIGHTS = np.array([0.0 if row == column == 0 else 1 / 12 if row and column else 1 / 6 for row, column in _STEPS])
_OWN = _STEPS.index((0, 0))
# Marks of pixels that are no unknowns.
_VISIBLE, _OUTSIDE = -1, -2
NOTHING_VISIBLE = (
    "Everything is hidden, so nothing surrounds it. Leave a part of the picture visible, or hide by another kind of "
    "filling."
)


def fill(picture: Pixels, mask: Bool) -> Pixels:
    """Return a new picture whose hidden pixels continue what surrounds them.

    `picture` is (H, W) or (H, W, C), floats or bytes, and the result is of its kind; `mask` (H, W) is True where it is
    hidden. Visible pixels stay as they are, to the last bit.

    Raises:
        InvalidParam: the mask has another size, or everything is hidden.

    >>> fill(np.array([[0.0, 9.0, 1.0]]), np.array([[False, True, False]]))
    array([[0. , 0.5, 1. ]])
    """
    hidden = np.asarray(mask, dtype=bool)
    if hidden.shape != picture.shape[:2]:
        sizes = (" × ".join(map(str, shape[1::-1])) for shape in (picture.shape, hidden.shape))
        raise InvalidParam("What is hidden must be as large as the picture: {} pixels. Got {}.".format(*sizes))
    if hidden.all():
        raise InvalidParam(NOTHING_VISIBLE)
    result = picture.copy()
    if not hidden.any():
        return result
    matrix, known = _build_system(hidden, picture.reshape(*hidden.shape, -1).astype(np.float64))
    spread = _build_interpolation(hidden)
    reduced = (spread.T @ matrix @ spread).tocsc()
    # Symmetric and diagonally dominant: it needs no pivots, and this order of unknowns leaves the least to compute.
    solver = splu(reduced, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0, options={"SymmetricMode": True})
    values = spread @ solver.solve(spread.T @ known)
    if picture.dtype == np.uint8:
        values = np.clip(np.rint(values), 0, 255)
    result[hidden] = values.reshape(-1, *picture.shape[2:]).astype(picture.dtype)
    return result


def _build_system(hidden: Bool, pixels: Float64) -> tuple[sparse.csr_matrix, Float64]:
    """Return the matrix (n, n) over the n hidden pixels, and what the visible ones add to its right side, (n, C)."""
    height, width = hidden.shape
    numbers = np.full((height + 2, width + 2), _OUTSIDE, dtype=np.int32)
    numbers[1:-1, 1:-1] = np.where(hidden, np.cumsum(hidden, dtype=np.int32).reshape(hidden.shape) - 1, _VISIBLE)
    places = np.flatnonzero(numbers.ravel() >= 0)
    neighbours = places[:, None] + np.array([row * (width + 2) + column for row, column in _STEPS])
    numbers_beside = numbers.ravel()[neighbours]
    weights = np.where(numbers_beside == _OUTSIDE, 0.0, _WEIGHTS)
    entries = -weights
    entries[:, _OWN] = weights.sum(axis=1)
    linked = numbers_beside >= 0
    ends = np.concatenate([[0], np.cumsum(linked.sum(axis=1))])
    matrix = sparse.csr_matrix((entries[linked], numbers_beside[linked], ends), shape=(len(places), len(places)))
    known = np.zeros((len(places), pixels.shape[2]))
    border = np.flatnonzero((numbers_beside == _VISIBLE).any(axis=1))
    padded = np.pad(pixels, ((1, 1), (1, 1), (0, 0))).reshape(-1, pixels.shape[2])
    visible = np.where(numbers_beside[border] == _VISIBLE, weights[border], 0.0)
    known[border] = np.einsum("nk,nkc->nc", visible, padded[neighbours[border]])
    return matrix, known


def _build_interpolation(hidden: Bool) -> sparse.csr_matrix:
    """Return the weights (n, unknowns) that make the n hidden pixels from the unknowns among them."""
    between = _find_smooth_part(hidden)
    numbers = np.full(hidden.shape, -1)
    unknown = hidden & ~between
    numbers[unknown] = np.arange(unknown.sum())
    row_of = np.cumsum(hidden).reshape(hidden.shape) - 1
    top, left = np.nonzero(between)
    rows, columns, weights = [row_of[unknown]], [numbers[unknown]], [np.ones(int(unknown.sum()))]
    for down in (0, 1):
        for right in (0, 1):
            corner = numbers[(top // GRID + down) * GRID, (left // GRID + right) * GRID]
            share = _share(top, down) * _share(left, right)
            # The corners of an edge that a pixel does not lie between have no part in it.
            used = share > 0
            rows.append(row_of[between][used])
            columns.append(corner[used])
            weights.append(share[used])
    shape = (int(hidden.sum()), int(unknown.sum()))
    return sparse.csr_matrix((np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), shape=shape)


def _share(places: Int64, side: int) -> Float64:
    """Return the weight of the grid line before (0) or after (1) each place along a side."""
    after: Float64 = places % GRID / GRID
    return after if side else 1 - after


def _find_smooth_part(hidden: Bool) -> Bool:
    """Return the hidden pixels, (H, W), that lie only in grid cells with nothing visible in or near them."""
    between = np.zeros(hidden.shape, dtype=bool)
    down, right = ((length - 1) // GRID for length in hidden.shape)
    if not down or not right:
        return between
    deep = ndimage.minimum_filter(hidden, 2 * MARGIN + 1, mode="nearest")
    cells = np.ones((down, right), dtype=bool)
    for row in range(GRID + 1):
        for column in range(GRID + 1):
            cells &= deep[row : row + GRID * down : GRID, column : column + GRID * right : GRID][:down, :right]
    inner = cells.repeat(GRID, axis=0).repeat(GRID, axis=1)
    # A pixel on a grid line lies in the cells on both of its sides.
    inner[GRID::GRID] &= inner[GRID - 1 : -1 : GRID]
    inner[:, GRID::GRID] &= inner[:, GRID - 1 : -1 : GRID]
    # The corners of the cells are unknowns themselves.
    inner[::GRID, ::GRID] = False
    between[: GRID * down, : GRID * right] = inner
    return between
