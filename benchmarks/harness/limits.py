"""Lower bounds of an answer's time: its evaluations alone, in the fastest batches and number of workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import torch

from xai_core.engine import cores
from xai_core.engine.backends.compiled_gradients import weigh_classes
from xai_core.engine.backends.gradients import ready_gradients
from xai_core.models.classifier import Classifier
from xai_core.results import Target


def measure_seconds(run: Callable[[], object]) -> float:
    """Measure the wall time of one call, s."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def worker_counts() -> set[int]:
    """Numbers of batches at a time to try."""
    return {1, cores.WORKERS}


class Limit(Protocol):
    """A lower bound of an answer's time: the work that cannot be left out."""

    @property
    def words(self) -> str:
        """Description of the timed work for the table."""

    def seconds(self) -> float:
        """Do the work and return the seconds it took."""


@dataclass(frozen=True)
class SingleRun:
    """A limit that is one call."""

    words: str
    run: Callable[[], object]

    def seconds(self) -> float:
        return measure_seconds(self.run)


@dataclass(frozen=True)
class Passes:
    """A limit of evaluations alone: `run` evaluates one batch of `size`; `workers` at a time share the cores."""

    run: Callable[[], object]
    size: int
    workers: int = 1
    pictures: float = 0
    evaluation: str = ""
    layout: str = ""

    @property
    def words(self) -> str:
        beside = f", {self.workers} at a time" if self.workers > 1 else ""
        return f"{self.pictures:g} {self.evaluation} in {self.layout}batches of {self.size}{beside}"

    def seconds(self) -> float:
        """Run a whole number of batches per worker and scale the time to the number of pictures."""
        batches = max(1, round(self.pictures / (self.size * self.workers)))

        def run_batches() -> None:
            with cores.limit(max(1, cores.CORES // self.workers)):
                for _ in range(batches):
                    self.run()

        with ThreadPoolExecutor(self.workers) as pool:
            start = time.perf_counter()
            for future in [pool.submit(run_batches) for _ in range(self.workers)]:
                future.result()
            seconds = time.perf_counter() - start
        return seconds * self.pictures / (batches * self.size * self.workers)

    def seconds_per_picture(self, repeats: int = 3) -> float:
        """Return the least time per picture of some short runs of two batches per worker."""
        passes = replace(self, pictures=2 * self.size * self.workers)
        # What happens the first time only is not counted.
        passes.seconds()
        return min(passes.seconds() for _ in range(repeats)) / passes.pictures


def list_compiled_passes(model: Classifier, x: torch.Tensor, target: Target) -> list[Passes]:
    """List forward-and-backward passes of a prepared picture (1, C, H, W) in the compiled network, where it is used."""
    compiled = ready_gradients(model)
    if compiled is None:
        return []
    size = compiled.batch.micro_batch
    rows = torch.cat(
        [x.repeat(size, 1, 1, 1).flatten(1), weigh_classes(target, compiled.classes).expand(size, -1)], dim=1
    )
    run = partial(compiled.batch.run, rows)
    return [Passes(run, size, workers, layout="compiled ") for workers in worker_counts()]
