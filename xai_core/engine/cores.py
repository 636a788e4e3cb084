"""Cores of the processor, shared out to a few workers that run batches in parallel, each on cores of its own.

A batch on all cores runs only as fast as the slowest of them: a page that takes 30 % of one core holds up both halves
of every batch (measured on two cores: a forward pass takes 1.5 to 2.1 times as long, a gradient 1.4 times). Two batches
with a core each lose only that core's share (1.15 and 1.1 times), and a gradient, whose layers do not all split well,
gains 1.3 to 1.5 times even alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # ships no types

from xai_core import settings

MAX_WORKERS = 4


def _choose_worker_count(cores: int, setting: int | None) -> int:
    """Return the setting, or as many workers as leave few cores over: 2 for two cores, 4 for eight, 3 for nine."""
    if setting is not None:
        return setting
    # Several workers rather than one, few cores left over, many workers rather than few.
    counts = range(1, min(cores, MAX_WORKERS) + 1)
    return max(counts, key=lambda count: (count > 1, -(cores % count), count))


# Cores that torch may use in this process.
CORES = torch.get_num_threads()
# Batches that run in parallel; WHYBOX_LANES sets another number.
WORKERS = _choose_worker_count(CORES, settings.worker_count())
CORES_PER_WORKER = max(1, CORES // WORKERS)


@cache
def _controller() -> ThreadpoolController:
    """OpenMP libraries of this process. A limit holds for the calling thread alone, unlike torch.set_num_threads."""
    return ThreadpoolController().select(user_api="openmp")


@contextmanager
def limit(cores: int) -> Iterator[None]:
    """Let torch use so many cores for the work of this thread within the block."""
    # Torch sets a new thread's number at its first use: now, lest it undo the limit.
    torch.get_num_threads()
    with _controller().limit(limits=cores):
        yield
