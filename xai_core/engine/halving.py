"""Batches that do not fit into a device's memory: run in halves, and smaller ones from then on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import torch

log = logging.getLogger(__name__)

T = TypeVar("T")
NO_MEMORY = (
    "This does not fit into the memory of the graphics card, not even one picture at a time. "
    "Try it again when less is running, or take a smaller model."
)
# Seconds to wait for other work to free its memory, where not even one picture fits; one entry a try.
WAITS_S = (0.1, 0.4, 1.0)


def run_in_halves(
    run: Callable[[torch.Tensor], T], batch: torch.Tensor, join: Callable[[list[T]], T], on_short: Callable[[int], None]
) -> T:
    """Return `run(batch)`; if the device's memory is short, `join` what its halves give, in order.

    `on_short` is told the number of pictures that did not fit.

    Raises:
        OutOfMemoryError: if one picture does not fit either, after some waiting.
    """
    try:
        return run(batch)
    except torch.OutOfMemoryError as problem:
        log.warning("%d pictures do not fit into the memory of the device: %s", len(batch), problem)
    # Outside the except clause, whose traceback would hold the tensors of the failed run.
    on_short(len(batch))
    _free_unused_memory()
    if len(batch) <= 1:
        return _try_again(run, batch)
    middle = len(batch) // 2
    return join([run_in_halves(run, half, join, on_short) for half in (batch[:middle], batch[middle:])])


def _try_again(run: Callable[[torch.Tensor], T], batch: torch.Tensor) -> T:
    """Run a batch that did not fit once more, after each of WAITS_S."""
    for wait in WAITS_S[:-1]:
        time.sleep(wait)
        try:
            return run(batch)
        except torch.OutOfMemoryError:
            _free_unused_memory()
    time.sleep(WAITS_S[-1])
    return run(batch)


def _free_unused_memory() -> None:
    """Give memory that torch keeps for later back to the device, for other threads and programs."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
