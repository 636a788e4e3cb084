"""The best few of many streams at once, in one go over data larger than memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float32, Int64

ROWS_A_BLOCK = 4096
_AT_A_TIME = 64
"""So many new ones of a channel are sorted in together."""
_NOBODY = np.iinfo(np.int64).max


class RunningTop:
    """The k largest (or smallest) of each channel over rows that come in pieces, in any order: memory for k a channel, whatever comes.

    Only rows that beat the worst kept of their channel are looked at closely, which after the first few are next to none.
    """

    def __init__(self, channels: int, k: int, largest: bool = True) -> None:
        self._sign = -1 if largest else 1
        self._beats: np.ufunc = np.greater if largest else np.less
        self._values = np.full((channels, k), self._sign * np.inf, dtype=np.float32)  # best first
        self._rows = np.full((channels, k), _NOBODY)
        self._seen = 0

    def add(self, rows: npt.ArrayLike, values: Float32) -> None:
        """Take in the values (n, channels) of rows (n,), each row once. NaN never gets in."""
        numbers, start = np.asarray(rows, dtype=np.int64), 0
        while start < len(numbers):  # small pieces first: until the worst kept is a high hurdle, many get over it
            stop = start + int(np.clip(self._seen, self._values.shape[1], ROWS_A_BLOCK))
            self._merge(numbers[start:stop], np.asarray(values[start:stop], dtype=np.float32))
            self._seen, start = self._seen + stop - start, stop

    def _merge(self, numbers: Int64, values: Float32) -> None:
        worst, last = self._values[:, -1], self._rows[:, -1]
        better = self._beats(values, worst)
        # Else none comes before a kept one of the same value: never, where rows come in order.
        if numbers.min() < last.max():
            better |= (values == worst) & (numbers[:, None] < last)
        places = np.flatnonzero(better)
        if len(places):
            self._take(*np.divmod(places, values.shape[1]), numbers, values)

    def _take(self, row: Int64, channel: Int64, numbers: Int64, values: Float32) -> None:
        """Sort these in among the kept of their channels, a few of each channel at a time: a table of all may have many empty cells."""
        order = np.argsort(channel, kind="stable")
        row, channel = row[order], channel[order]
        count = np.bincount(channel, minlength=values.shape[1])
        nth = np.arange(len(channel)) - (np.cumsum(count) - count)[channel]
        for start in range(0, int(count.max()), _AT_A_TIME):
            some = (nth >= start) & (nth < start + _AT_A_TIME)
            self._sort_in(row[some], channel[some], nth[some] - start, numbers, values)

    def _sort_in(self, row: Int64, channel: Int64, nth: Int64, numbers: Int64, values: Float32) -> None:
        touched, owner = np.unique(channel, return_inverse=True)
        k = self._values.shape[1]
        shape = len(touched), k + int(nth.max()) + 1
        value, number = np.full(shape, self._sign * np.inf, dtype=np.float32), np.full(shape, _NOBODY)
        value[:, :k], number[:, :k] = self._values[touched], self._rows[touched]
        value[owner, k + nth], number[owner, k + nth] = values[row, channel], numbers[row]
        best = np.lexsort((number, self._sign * value))[:, :k]
        self._values[touched], self._rows[touched] = (
            np.take_along_axis(value, best, 1),
            np.take_along_axis(number, best, 1),
        )

    @property
    def rows(self) -> Int64:
        """Row numbers (channels, k), best first; -1 where fewer than k were seen."""
        return np.where(self._rows == _NOBODY, -1, self._rows)

    @property
    def values(self) -> Float32:
        """Their values (channels, k); NaN where fewer than k were seen."""
        return np.where(self._rows == _NOBODY, np.float32(np.nan), self._values)
