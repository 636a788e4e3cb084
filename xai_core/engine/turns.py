"""Whose batch runs next: first come, first served. A plain lock lets one busy loop take every turn."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class Turns:
    """A lock that serves in order of arrival: `with turns: one batch`. A batch uses all cores, so two side by side only get slower."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._busy = False

    def __enter__(self) -> None:
        ticket = threading.Lock()
        with self._guard:
            if not self._busy:
                self._busy = True
                return
            ticket.acquire()
            self._queue.append(ticket)
        ticket.acquire()  # until the one before hands its turn over

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._guard:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._busy = False


TURNS = Turns()
"""The turns of this process: forward and gradient batches of all jobs and all models."""
