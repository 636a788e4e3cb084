"""Row numbers of a set: checks of what a caller gives, and loops over rows in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam


def check_index(name: str, index: int, count: int) -> None:
    """Raise InvalidParam unless the index is 0 to `count` - 1."""
    if not 0 <= index < count:
        raise InvalidParam(f"The {name} must be a whole number from 0 to {count - 1}. Got {str(index)[:60]}.")


def check_count(k: int) -> int:
    """Return a number of pictures to select. Raises InvalidParam below 1."""
    if k < 1:
        raise InvalidParam(f"The number of pictures must be 1 or more. Got {k}.")
    return k


def check_rows(rows: npt.ArrayLike | None, count: int) -> Int64:
    """Return the given row numbers in their order, or all of `count` for None. Raises InvalidParam."""
    if rows is None:
        return np.arange(count)
    given = np.asarray(rows)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InvalidParam(
            "Pictures are chosen by a list of whole numbers. "
            f"Got an array of shape {given.shape} and kind {given.dtype}."
        )
    if given.size and not 0 <= given.min() <= given.max() < count:
        raise InvalidParam(f"The pictures are numbered from 0 to {count - 1}. Got {given.min()} to {given.max()}.")
    return given.astype(np.int64)


def count_ties_at_end(values: npt.ArrayLike, best: npt.ArrayLike) -> int:
    """Count values that equal the last of the best ones without being among them: chance decides which are shown."""
    population, selected = np.asarray(values), np.asarray(best)
    if not selected.size:
        return 0
    return int((population == selected[-1]).sum() - (selected == selected[-1]).sum())


def iter_blocks(count: int, size: int, job: Job[Any], steps: int = 0) -> Iterator[slice]:
    """Yield slices of at most `size` rows that cover `count`; they tick `steps` in all. Raises Cancelled."""
    for start in range(0, count, size):
        stop = min(start + size, count)
        yield slice(start, stop)
        job.tick(steps * stop // count - steps * start // count)
