"""Memory budget: bytes that the working jobs of several pools may hold together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar
from weakref import ref

from xai_core.engine import memory


class MemoryUser(Protocol):
    """A pool whose queue may wait for memory."""

    @property
    def next_due(self) -> float:
        """Queue priority of the first waiting job; infinity without one."""

    def start_queued_jobs(self) -> None:
        """Start the waiting jobs that have a worker and fit into the budget."""


P = TypeVar("P", bound=MemoryUser)


class MemoryBudget(Generic[P]):
    """FIFO; a small job of another pool may use memory that is too little for the first.

    >>> budget = MemoryBudget(lambda: 100)
    >>> budget.reserve(60), budget.reserve(60), budget.reserve(40)
    (True, False, True)
    """

    def __init__(self, limit: Callable[[], int] = memory.budget) -> None:
        """`limit` returns the bytes for all working jobs together; a single job may hold more while it works alone."""
        self._limit = limit
        self._lock = threading.Lock()
        self._reserved = 0
        self._pools: tuple[ref[P], ...] = ()

    @property
    def pools(self) -> list[P]:
        """Living pools that share the budget. Takes no lock."""
        return [pool for reference in self._pools if (pool := reference()) is not None]

    def add_pool(self, pool: P) -> None:
        """Let a pool share the budget for as long as the pool lives."""
        with self._lock:
            self._pools = (*map(ref, self.pools), ref(pool))

    def reserve(self, size: int) -> bool:
        """Reserve bytes for a job; False where they do not fit."""
        with self._lock:
            fits = not size or not self._reserved or self._reserved + size <= self._limit()
            self._reserved += size if fits else 0
            return fits

    def release(self, size: int) -> None:
        """Give bytes back and start what fits now in every pool. Call without a pool's lock: each takes its own."""
        with self._lock:
            self._reserved -= size
        for pool in sorted(self.pools, key=lambda pool: pool.next_due):
            pool.start_queued_jobs()
