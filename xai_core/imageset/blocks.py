"""Long loops over rows, cut into blocks: progress is counted and a cancel is obeyed between two of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xai_core.engine.jobs import Job


def blocks(count: int, size: int, job: Job[Any], worth: int = 0) -> Iterator[slice]:
    """Slices of at most `size` rows that cover `count` of them. All together tick `worth` steps. Raises Cancelled after any of them."""
    for start in range(0, count, size):
        stop = min(start + size, count)
        yield slice(start, stop)
        job.tick(worth * stop // count - worth * start // count)
