"""Row numbers of a set: which pictures are meant."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xai_core.errors import InvalidParam

Rows = npt.NDArray[np.int64]


def check_index(what: str, index: int, count: int) -> None:
    """Raises InvalidParam where `what` is asked for by another number than 0 to `count` - 1."""
    if not 0 <= index < count:
        raise InvalidParam(f"The {what} must be a whole number from 0 to {count - 1}. Got {str(index)[:60]}.")


def check_count(k: int) -> int:
    """How many pictures are wanted. Raises InvalidParam."""
    if k < 1:
        raise InvalidParam(f"The number of pictures must be 1 or more. Got {k}.")
    return k


def more_of_the_last(values: npt.ArrayLike, best: npt.ArrayLike) -> int:
    """How many of all values equal the last of the best ones without being among them: which of those are shown is chance."""
    everybody, shown = np.asarray(values), np.asarray(best)
    return int((everybody == shown[-1]).sum() - (shown == shown[-1]).sum()) if shown.size else 0


def checked_rows(rows: npt.ArrayLike | None, count: int) -> Rows:
    """The row numbers given, in their order; None: all of `count`. Raises InvalidParam."""
    if rows is None:
        return np.arange(count)
    given = np.asarray(rows)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InvalidParam(
            f"Pictures are chosen by a list of whole numbers. Got an array of shape {given.shape} and kind {given.dtype}."
        )
    if given.size and not 0 <= given.min() <= given.max() < count:
        raise InvalidParam(f"The pictures are numbered from 0 to {count - 1}. Got {given.min()} to {given.max()}.")
    return given.astype(np.int64)
