"""The least time an answer can take: its evaluations and nothing else, in the batches and side by side as they are
quickest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

from xai_core.engine import cores


def seconds_of(run: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def side_by_side() -> set[int]:
    """How many batches at a time are tried."""
    return {1, cores.WORKERS}


class Limit(Protocol):
    """The least time an answer can take: what cannot be left out, and nothing else."""

    @property
    def words(self) -> str:
        """What is timed, for a reader of the table."""

    def seconds(self) -> float:
        """Do it, and say how long it took."""


@dataclass(frozen=True)
class Once:
    """A limit that is done as it is."""

    words: str
    run: Callable[[], object]

    def seconds(self) -> float:
        return seconds_of(self.run)


@dataclass(frozen=True)
class Passes:
    """A limit of evaluations alone: `run` does one batch of `size`, and `lanes` of them at a time share the cores."""

    run: Callable[[], object]
    size: int
    lanes: int = 1
    pictures: float = 0
    what: str = ""
    layout: str = ""

    @property
    def words(self) -> str:
        beside = f", {self.lanes} at a time" if self.lanes > 1 else ""
        return f"{self.pictures:g} {self.what} in {self.layout}batches of {self.size}{beside}"

    def seconds(self) -> float:
        """As many batches in each lane as whole ones are needed, scaled to the number of pictures."""
        each = max(1, round(self.pictures / (self.size * self.lanes)))

        def some() -> None:
            with cores.limit(max(1, cores.CORES // self.lanes)):
                for _ in range(each):
                    self.run()

        with ThreadPoolExecutor(self.lanes) as pool:
            begun = time.perf_counter()
            for done in [pool.submit(some) for _ in range(self.lanes)]:
                done.result()
            taken = time.perf_counter() - begun
        return taken * self.pictures / (each * self.size * self.lanes)

    def seconds_a_picture(self, tries: int = 3) -> float:
        """The quickest of some short runs, two batches a lane each."""
        some = replace(self, pictures=2 * self.size * self.lanes)
        some.seconds()  # what happens the first time only is not counted
        return min(some.seconds() for _ in range(tries)) / some.pictures
