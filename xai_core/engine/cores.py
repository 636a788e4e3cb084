"""How the processor's cores are shared out: a few lanes, each with cores of its own, work on batches side by side.

One batch spread over all cores runs only as fast as the slowest of them: a page that takes 30 % of one core holds up both halves of
every batch (measured on two cores: a forward pass takes 1.5 to 2.1 times as long, a gradient 1.4 times). Two batches with a core each
lose only that core's share (1.15 and 1.1 times), and a gradient, whose layers do not all split well, gains 1.3 to 1.5 times even alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # ships no types

from xai_core import settings

MAX_WORKERS = 4


def _lanes(cores: int, wanted: int | None) -> int:
    """As many lanes as leave the fewest cores over, more rather than fewer: 2 for two cores, 4 for eight, 3 for nine."""
    if wanted is not None:
        return wanted
    return max(range(1, min(cores, MAX_WORKERS) + 1), key=lambda lanes: (lanes > 1, -(cores % lanes), lanes))


CORES = torch.get_num_threads()
"""Cores that torch may use in this process."""
WORKERS = _lanes(CORES, settings.worker_count())
"""Batches that run side by side. WHYBOX_LANES sets another number."""
CORES_PER_WORKER = max(1, CORES // WORKERS)


@cache
def _controller() -> ThreadpoolController:
    """The OpenMP libraries of this process. What they are told holds for the calling thread alone, unlike torch.set_num_threads."""
    return ThreadpoolController().select(user_api="openmp")


@contextmanager
def limit(cores: int) -> Iterator[None]:
    """Torch uses so many cores for what this thread does within the block."""
    torch.get_num_threads()  # torch sets a new thread's number at its first use: now, lest it undo what follows
    with _controller().limit(limits=cores):
        yield
