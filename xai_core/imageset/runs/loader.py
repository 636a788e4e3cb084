"""Pictures of a set as a model sees them, read by a few threads a little ahead of the engine."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import torch

from xai_core.arrays import Bool, UInt8
from xai_core.engine import cores
from xai_core.errors import InvalidImage
from xai_core.images import Picture
from xai_core.imageset.runs.corruptions import CorruptionLevel
from xai_core.models.classifier import Preprocessing

log = logging.getLogger(__name__)

P = TypeVar("P")
T = TypeVar("T")


class Pictures(Protocol):
    """What of a set is needed to run a model over it: an `ImageSet`. Many threads open pictures at once."""

    @property
    def id(self) -> str: ...

    def __len__(self) -> int: ...

    def open(self, index: int) -> Picture: ...


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of a set: which of them could be opened, (n,), and those as the model sees them, bytes, (at most n, H, W, C)."""

    rows: range
    good: Bool
    seen: torch.Tensor


@dataclass(frozen=True)
class Reader:
    """Opens pictures, and changes them where that is asked for."""

    pictures: Pictures
    steps: Preprocessing
    change: CorruptionLevel | None = None

    def seen(self, row: int) -> UInt8:
        """The picture of a row as the model sees it, changed, in 0..255, (H, W, C). Raises XaiError."""
        picture, steps = self.pictures.open(row), self.steps
        if self.change is None:
            return steps.input_bytes(picture)
        return steps.to_bytes(self.change(steps.model_input(picture), row))

    def input(self, row: int) -> torch.Tensor:
        """The network's input for one row, (1, C, H, W). Raises XaiError."""
        return self.steps.to_tensor(self.steps.to_pixels(self.seen(row)))

    def batch(self, rows: range) -> Batch:
        """These rows; a damaged picture is told in `good` and left out. Raises what says that no other opens either (InvalidSet)."""
        side, good = self.steps.crop, np.zeros(len(rows), dtype=np.bool_)
        seen = np.empty((len(rows), side, side, self.steps.channels), dtype=np.uint8)
        for number, row in enumerate(rows):
            try:
                seen[int(good.sum())] = self.seen(row)
            except InvalidImage as problem:
                log.warning("picture %d of set %s is left out: %s", row, self.pictures.id, problem)
            else:
                good[number] = True
        return Batch(rows, good, torch.from_numpy(seen[: int(good.sum())]))


def in_order(
    make: Callable[[P], T], parts: Iterable[P], ahead: int, workers: int = cores.CORES
) -> Generator[T, None, None]:
    """What `make` gives for each part, in their order, made by a few threads up to `ahead` parts before it is asked for.

    Whoever stops early closes the iterator: what has not begun is then never made.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="whybox-pictures") as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for part in parts:
                waiting.append(pool.submit(make, part))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
