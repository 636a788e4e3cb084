"""Numbers of more than 8 bits to 8-bit levels: the range that the file states, else the one its numbers fit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import UInt8
from xai_core.formatting import number

Numbers = npt.NDArray[Any]
# Largest numbers of 8, 10, 12, 14 and 16 bits; fractions may also end at 1.
_TOPS = (255, 1023, 4095, 16_383, 65_535)
_DEEPEST = 65_535
# Numbers that are scaled at a time.
_BLOCK = 1 << 20


@dataclass(frozen=True)
class StatedRange:
    """Facts that a file states about its numbers; None where it says nothing."""

    bits: int | None = None
    low: float | None = None
    high: float | None = None
    no_data: float | None = None
    """The number that stands for no value."""
    zero_is_white: bool = False


def to_eight_bits(values: Numbers, stated: StatedRange = StatedRange()) -> tuple[UInt8, str | None]:
    """Return numbers (H, W) or (H, W, C) as levels of the same shape, and a note on the range where it is a guess.

    The last of two or four bands is alpha: its range is that of the colours if it fits, else all 16 bits.
    Numbers that are not finite, or stand for no value, become the darkest level.
    """
    if values.dtype == np.uint8:
        return 255 - values if stated.zero_is_white else values, None
    if values.ndim == 3 and values.shape[2] in (2, 4):
        colours, note = to_eight_bits(values[:, :, :-1], stated)
        alpha = values[:, :, -1:]
        top = _find_top(values[:, :, :-1], int(values[:, :, :-1].max()), stated.bits)
        alpha_levels = _scale(alpha, 0.0, float(top if alpha.max() <= top else _DEEPEST), StatedRange())
        return np.concatenate([colours, alpha_levels], axis=2), note
    low, high = _find_extremes(values, stated.no_data)
    black, white = _choose_range(values, low, high, stated)
    natural = values.dtype == np.uint16 and (white == _DEEPEST or stated.bits == math.log2(white + 1))
    return _scale(values, black, white, stated), None if natural else _describe(low, high, black, white)


def _scale(values: Numbers, black: float, white: float, stated: StatedRange) -> UInt8:
    levels = np.empty(values.shape, np.uint8)
    for start, block in _iter_blocks(values):
        scaled = _clear(block, stated.no_data, black)
        scaled = (scaled - black) * (255.0 / max(white - black, 1e-12))
        scaled = 255.0 - scaled if stated.zero_is_white else scaled
        levels[start : start + len(block)] = np.rint(scaled).clip(0, 255)
    return levels


def _choose_range(values: Numbers, low: float, high: float, stated: StatedRange) -> tuple[float, float]:
    """Return the numbers that are black and white."""
    if stated.high is not None and high <= stated.high and (stated.low or 0.0) <= low < stated.high:
        return stated.low or 0.0, stated.high
    if low < 0:
        return low, high
    if values.dtype == np.uint16:
        return 0.0, float(_find_top(values, int(high), stated.bits))
    tops = (1,) if values.dtype.kind == "f" else ()
    return 0.0, float(next((top for top in (*tops, *_TOPS) if high <= top), high))


def _find_top(values: Numbers, highest: int, bits: int | None) -> int:
    """Return the number of 16 bits that is white.

    A dark picture and one of fewer bits look alike: it counts as dark only where its numbers are 8 bits that were
    spread over 16, as image programs save them.
    """
    if bits is not None and bits < 16:
        return 2**bits - 1 if highest < 2**bits and not _is_spread(values, bits) else _DEEPEST
    if highest > _TOPS[-2] or _is_spread(values, 8):
        return _DEEPEST
    return next(top for top in _TOPS if highest <= top)


def _is_spread(values: Numbers, bits: int) -> bool:
    """Say if numbers of 16 bits are `bits` bits moved to the top, with zeros or their own upper bits below."""
    mask = (1 << (16 - bits)) - 1
    zeros = copies = True
    for _, block in _iter_blocks(values):
        rest = block & mask
        zeros = zeros and not rest.any()
        copies = copies and bool((rest == block >> bits).all())
    return zeros or copies


def _iter_blocks(values: Numbers) -> Iterator[tuple[int, Numbers]]:
    """Yield (first row, rows) of about _BLOCK numbers each, to bound the memory of what is computed from them."""
    rows = max(1, _BLOCK // max(1, math.prod(values.shape[1:])))
    for start in range(0, len(values), rows):
        yield start, values[start : start + rows]


def _clear(block: Numbers, no_data: float | None, replacement: float) -> Numbers:
    numbers = block.astype(np.float64)
    empty = ~np.isfinite(numbers)
    if no_data is not None:
        empty |= numbers == no_data
    numbers[empty] = replacement
    return numbers


def _find_extremes(values: Numbers, no_data: float | None) -> tuple[float, float]:
    """Return the least and the largest number that is a value, 0 and 0 where there is none."""
    low, high = math.inf, -math.inf
    for _, block in _iter_blocks(values):
        numbers = _clear(block, no_data, math.nan)
        if not np.isnan(numbers).all():
            low, high = min(low, float(np.nanmin(numbers))), max(high, float(np.nanmax(numbers)))
    return (low, high) if low <= high else (0.0, 0.0)


def _describe(low: float, high: float, black: float, white: float) -> str:
    return (
        f"The numbers in this picture run from {number(low)} to {number(high)}: "
        f"{number(black)} is shown as black and {number(white)} as white."
    )
