"""Slots for page runs: thirty runs at once would keep the interpreter from the thread that answers browsers.

A run that gets no slot within SLOT_TIMEOUT_S goes on without one, so a slow page delays others no longer than that.

Browsers poll on time whether they were answered or not, so the poll interval of each page grows with their number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

MAX_SLOTS = 2
SLOT_TIMEOUT_S = 1.0
MIN_POLL_S, MAX_POLL_S = 0.4, 5.0
# Seconds between two polls, for each page that polls; a poll takes 15 to 20 ms from the running jobs.
SHORT_JOB_POLL_S, LONG_JOB_POLL_S = 0.05, 0.16
_SLOTS = threading.BoundedSemaphore(MAX_SLOTS)
# State of this thread's run: `inside` a slot's block, and True in `holds` while it has one of the slots.
_thread = threading.local()
# Time of the last poll of each session.
_last_polls: dict[str, float] = {}


@contextmanager
def acquire_slot() -> Iterator[None]:
    """Run a block, a whole page or one poll, in a slot; a nested block shares the slot of the outer one."""
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
    """Give the slot to others while a block only waits."""
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
    """Return the seconds until the next poll of a session."""
    now = _last_polls[session_id] = time.monotonic()
    # A copy, for other threads poll meanwhile.
    for name, last_poll in list(_last_polls.items()):
        if now - last_poll > 2 * MAX_POLL_S:
            _last_polls.pop(name, None)
    interval = (SHORT_JOB_POLL_S if short_jobs else LONG_JOB_POLL_S) * len(_last_polls)
    return min(max(MIN_POLL_S, interval), MAX_POLL_S)
