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

AT_ONCE = 2
PATIENCE_S = 1.0
QUICKEST_S, SLOWEST_S = 0.4, 5.0
SOON_S, LATER_S = 0.05, 0.16
"""Seconds between two looks for every page that looks: where something comes that takes seconds at most, and where it takes longer. A look
takes 15 to 20 ms from the maps being made."""
_PLACES = threading.BoundedSemaphore(AT_ONCE)
_run = threading.local()
"""What this thread's run has: `inside` a turn, and whether it `holds` one of the places. Every run has a thread of its own."""
_looked: dict[str, float] = {}
"""When each page that waits for something last looked."""


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


def pace(who: str, soon: bool = True) -> float:
    """Seconds until the next look of a page that waits for something, which `who` tells from all others."""
    now = _looked[who] = time.monotonic()
    for name, at in list(_looked.items()):  # a copy at once: others look meanwhile
        if now - at > 2 * SLOWEST_S:
            _looked.pop(name, None)
    return min(max(QUICKEST_S, (SOON_S if soon else LATER_S) * len(_looked)), SLOWEST_S)
