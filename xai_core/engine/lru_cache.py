"""Things kept in memory up to so many bytes: what was used longest ago goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """The most recently used values, together at most `limit` bytes. Safe with many threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> T | None:
        """The value, which counts as a use of it."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: str, value: T, size: int) -> None:
        """Keep a value of `size` bytes in place of others; one larger than all the room there is is not kept."""
        with self._lock:
            self._remove(key)
            if size > self._limit:
                return
            self._kept[key] = (value, size)
            self._bytes += size
            while self._bytes > self._limit:
                self._remove(next(iter(self._kept)))

    def pop(self, key: str) -> None:
        """Forget a value, if it is there."""
        with self._lock:
            self._remove(key)

    def items(self) -> tuple[tuple[str, T], ...]:
        """What is kept now, least recently used first."""
        with self._lock:
            return tuple((key, value) for key, (value, _) in self._kept.items())

    @property
    def bytes(self) -> int:
        with self._lock:
            return self._bytes

    def _remove(self, key: str) -> None:
        _, size = self._kept.pop(key, (None, 0))
        self._bytes -= size
