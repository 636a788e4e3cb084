"""Pages are drawn a few at a time: thirty threads that all want the interpreter would keep it from the one that answers browsers.

A run that cannot have its turn within a moment goes on without one, so that a slow page harms nobody else for longer than that.

Pages that wait for work look at it again and again, and browsers look on time whether they were answered or not: with more looks than the
server can give, nobody is answered at all. So each looks less often the more there are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

MAX_SLOTS = 2
SLOT_TIMEOUT_S = 1.0
MIN_POLL_S, MAX_POLL_S = 0.4, 5.0
SHORT_JOB_POLL_S, LONG_JOB_POLL_S = 0.05, 0.16
"""Seconds between two looks for every page that looks: where something comes that takes seconds at most, and where it takes longer. A look
takes 15 to 20 ms from the maps being made."""
_SLOTS = threading.BoundedSemaphore(MAX_SLOTS)
_thread = threading.local()
"""What this thread's run has: `inside` a turn, and whether it `holds` one of the places. Every run has a thread of its own."""
_last_polls: dict[str, float] = {}
"""When each page that waits for something last looked."""


@contextmanager
def acquire_slot() -> Iterator[None]:
    """For whatever draws: the whole page, or one look at running work. Inside another turn it is part of that."""
    if getattr(_thread, "inside", False):
        yield
        return
    _thread.inside, _thread.holds = True, _SLOTS.acquire(timeout=SLOT_TIMEOUT_S)
    try:
        yield
    finally:
        if _thread.holds:
            _SLOTS.release()
        _thread.inside = _thread.holds = False


@contextmanager
def release_slot() -> Iterator[None]:
    """For the part of a turn that only waits: others are drawn meanwhile."""
    if not getattr(_thread, "holds", False):
        yield
        return
    _SLOTS.release()
    _thread.holds = False
    try:
        yield
    finally:
        _thread.holds = _SLOTS.acquire(timeout=SLOT_TIMEOUT_S)


def poll_interval(session_id: str, short_jobs: bool = True) -> float:
    """Seconds until the next look of a page that waits for something, which `who` tells from all others."""
    now = _last_polls[session_id] = time.monotonic()
    for name, at in list(_last_polls.items()):  # a copy at once: others look meanwhile
        if now - at > 2 * MAX_POLL_S:
            _last_polls.pop(name, None)
    return min(max(MIN_POLL_S, (SHORT_JOB_POLL_S if short_jobs else LONG_JOB_POLL_S) * len(_last_polls)), MAX_POLL_S)
