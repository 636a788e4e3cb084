"""The k largest or smallest of many channels at once, in one pass over data larger than memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float32, Int64

ROWS_A_BLOCK = 4096
# New candidates of a channel that are sorted in together.
_MERGED_TOGETHER = 64
_EMPTY = np.iinfo(np.int64).max


class RunningTop:
    """The k largest (or smallest) of each channel over rows that come in blocks, in any order.

    Memory holds k a channel, however many rows come. Only rows that beat the worst kept one of their channel are sorted
    in, which after the first few are next to none.

    >>> top = RunningTop(channels=1, k=2)
    >>> top.add([0, 1, 2], np.float32([[3], [1], [2]]))
    >>> top.rows.tolist(), top.values.tolist()
    ([[0, 2]], [[3.0, 2.0]])
    """

    def __init__(self, channels: int, k: int, largest: bool = True) -> None:
        self._sign = -1 if largest else 1
        self._beats: np.ufunc = np.greater if largest else np.less
        # Best first.
        self._values = np.full((channels, k), self._sign * np.inf, dtype=np.float32)
        self._rows = np.full((channels, k), _EMPTY)
        self._count = 0

    def add(self, rows: npt.ArrayLike, values: Float32) -> None:
        """Take in the values (n, channels) of rows (n,), each row once. NaN never gets in."""
        numbers, start = np.asarray(rows, dtype=np.int64), 0
        while start < len(numbers):
            # Small blocks first: until the worst kept one is a high hurdle, many get over it.
            stop = start + int(np.clip(self._count, self._values.shape[1], ROWS_A_BLOCK))
            self._merge(numbers[start:stop], np.asarray(values[start:stop], dtype=np.float32))
            self._count, start = self._count + stop - start, stop

    def _merge(self, numbers: Int64, values: Float32) -> None:
        """Find the candidates of a block: those that beat the worst kept one of their channel."""
        worst, last = self._values[:, -1], self._rows[:, -1]
        better = self._beats(values, worst)
        # A tie is won by the lower row, which can only happen where rows do not come in order.
        if numbers.min() < last.max():
            better |= (values == worst) & (numbers[:, None] < last)
        places = np.flatnonzero(better)
        if len(places):
            self._sort_by_channel(*np.divmod(places, values.shape[1]), numbers, values)

    def _sort_by_channel(self, row: Int64, channel: Int64, numbers: Int64, values: Float32) -> None:
        """Sort candidates in, a few of each channel at a time: a table of all could have many empty cells."""
        order = np.argsort(channel, kind="stable")
        row, channel = row[order], channel[order]
        # Number the candidates within their channel.
        count = np.bincount(channel, minlength=values.shape[1])
        nth = np.arange(len(channel)) - (np.cumsum(count) - count)[channel]
        for start in range(0, int(count.max()), _MERGED_TOGETHER):
            batch = (nth >= start) & (nth < start + _MERGED_TOGETHER)
            self._sort_in(row[batch], channel[batch], nth[batch] - start, numbers, values)

    def _sort_in(self, row: Int64, channel: Int64, nth: Int64, numbers: Int64, values: Float32) -> None:
        """Sort kept ones and candidates of the touched channels together, and keep the best k of each."""
        touched, owner = np.unique(channel, return_inverse=True)
        k = self._values.shape[1]
        shape = len(touched), k + int(nth.max()) + 1
        # Lay the kept ones first, the candidates behind them, in one row a channel.
        value, number = np.full(shape, self._sign * np.inf, dtype=np.float32), np.full(shape, _EMPTY)
        value[:, :k], number[:, :k] = self._values[touched], self._rows[touched]
        value[owner, k + nth], number[owner, k + nth] = values[row, channel], numbers[row]
        # The last key counts first: order by value, and ties by row number.
        best = np.lexsort((number, self._sign * value))[:, :k]
        self._values[touched] = np.take_along_axis(value, best, 1)
        self._rows[touched] = np.take_along_axis(number, best, 1)

    @property
    def rows(self) -> Int64:
        """Row numbers (channels, k), best first; -1 where there are fewer than k."""
        return np.where(self._rows == _EMPTY, -1, self._rows)

    @property
    def values(self) -> Float32:
        """Their values (channels, k); NaN where there are fewer than k."""
        return np.where(self._rows == _EMPTY, np.float32(np.nan), self._values)
