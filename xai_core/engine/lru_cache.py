"""A cache in memory with a size limit: the least recently used entries go first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class LRUCache(Generic[T]):
    """The most recently used values, together at most `limit` bytes. Safe with many threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> T | None:
        """Return the value, or None; counts as a use of it."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def put(self, key: str, value: T, size: int) -> None:
        """Keep a value of `size` bytes; one larger than the limit is not kept."""
        with self._lock:
            self._remove(key)
            if size > self._limit:
                return
            self._entries[key] = (value, size)
            self._bytes += size
            while self._bytes > self._limit:
                self._remove(next(iter(self._entries)))

    def pop(self, key: str) -> None:
        """Forget a value, if it is there."""
        with self._lock:
            self._remove(key)

    def items(self) -> tuple[tuple[str, T], ...]:
        """Return all entries, the least recently used first."""
        with self._lock:
            return tuple((key, value) for key, (value, _) in self._entries.items())

    @property
    def bytes(self) -> int:
        with self._lock:
            return self._bytes

    def _remove(self, key: str) -> None:
        _, size = self._entries.pop(key, (None, 0))
        self._bytes -= size
