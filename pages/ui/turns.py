"""Pages are drawn a few at a time: thirty threads that all want the interpreter would keep it from the one that answers browsers.

A run that cannot have its turn within a moment goes on without one, so that a slow page harms nobody else for longer than that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 2
PATIENCE_S = 1.0
_PLACES = threading.BoundedSemaphore(AT_ONCE)
_run = threading.local()
"""What this thread's run has: `inside` a turn, and whether it `holds` one of the places. Every run has a thread of its own."""


@contextmanager
def turn() -> Iterator[None]:
    """For whatever draws: the whole page, or one look at running work. Inside another turn it is part of that."""
    if getattr(_run, "inside", False):
        yield
        return
    _run.inside, _run.holds = True, _PLACES.acquire(timeout=PATIENCE_S)
    try:
        yield
    finally:
        if _run.holds:
            _PLACES.release()
        _run.inside = _run.holds = False


@contextmanager
def aside() -> Iterator[None]:
    """For the part of a turn that only waits: others are drawn meanwhile."""
    if not getattr(_run, "holds", False):
        yield
        return
    _PLACES.release()
    _run.holds = False
    try:
        yield
    finally:
        _run.holds = _PLACES.acquire(timeout=PATIENCE_S)
