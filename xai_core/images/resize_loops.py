"""The loops of `_resize`, compiled while this module is imported.

All arithmetic goes along whole lines of bytes: of that compilers make vector instructions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import int32, intp, njit, types, uint8, void

from xai_core.images.resize import PRECISION, Taps

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]

_HALF = 1 << PRECISION - 1
_STRIP = 32
"""Rows that are turned over together: a strip of a wide picture still fits into a core's own cache."""

_LINES, _NUMBERS, _TAPS = uint8[:, ::1], int32[::1], int32[:, ::1]
_SOURCE = types.Array(uint8, 2, "C", readonly=True)


@njit(void(_LINES, intp, _NUMBERS, _NUMBERS, _TAPS, _NUMBERS, _LINES), nogil=True)
def _mixed(lines: Bytes, begin: int, first: Ints, count: Ints, weights: Ints, sums: Ints, out: Bytes) -> None:
    """Each line of `out` (n, L): `count` of `lines` (m, L) from `first` - `begin` on, weighted, added up and rounded to bytes."""
    line = sums[: lines.shape[1]]
    for number in range(len(out)):
        line[:] = _HALF
        for tap in range(count[number]):
            weight, source = weights[number, tap], lines[first[number] - begin + tap]
            for at in range(len(line)):
                line[at] += np.int32(source[at]) * weight
        target = out[number]
        for at in range(len(line)):
            target[at] = min(max(line[at] >> PRECISION, 0), 255)


@njit(void(_SOURCE, _NUMBERS, _NUMBERS, _TAPS, _NUMBERS, _NUMBERS, _TAPS, _LINES), nogil=True)
def _resample(
    pixels: Bytes, left: Ints, columns: Ints, across: Ints, top: Ints, rows: Ints, down: Ints, out: Bytes
) -> None:
    wide, begin, upper = len(left), left[0], top[0]
    span, lower = left[-1] + columns[-1] - begin, top[-1] + rows[-1]
    # A strip stands on its side, red, green and blue one after the other: then a line goes through its rows.
    strip, turned = np.zeros((span, 3 * _STRIP), np.uint8), np.empty((wide, 3 * _STRIP), np.uint8)
    between, sums = np.empty((lower - upper, 3 * wide), np.uint8), np.empty(3 * max(wide, _STRIP), np.int32)
    for start in range(upper, lower, _STRIP):
        for row in range(min(_STRIP, lower - start)):
            source = pixels[start + row]
            for column in range(span):
                for colour in range(3):
                    strip[column, colour * _STRIP + row] = source[3 * (begin + column) + colour]
        _mixed(strip, begin, left, columns, across, sums, turned)
        for row in range(min(_STRIP, lower - start)):
            target = between[start - upper + row]
            for column in range(wide):
                for colour in range(3):
                    target[3 * column + colour] = turned[column, colour * _STRIP + row]
    _mixed(between, upper, top, rows, down, sums, out)


def resample(pixels: Bytes, across: Taps, down: Taps, out: Bytes) -> None:
    """Fill `out` (h, w, 3) from `pixels` (H, W, 3): along the rows first, then, rounded to bytes, along the columns."""
    _resample(pixels.reshape(len(pixels), -1), *across, *down, out.reshape(len(out), -1))
