"""Numbers of the table's rows that an explanation speaks about: the given ones or all, and samples of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.arrays import Int64
from xai_core.errors import InvalidParam

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table


def select_rows(table: Table, rows: Any) -> Int64:
    """Return the given row numbers, (N,), or all of them where `rows` is None.

    Raises: InvalidParam (no rows, or numbers that the table does not have).
    """
    count = len(table.frame)
    if rows is None:
        return np.arange(count)
    numbers = np.asarray(rows)
    whole = numbers.ndim == 1 and len(numbers) > 0 and numbers.dtype.kind in "iu"
    if not whole or numbers.min() < 0 or numbers.max() >= count:
        raise InvalidParam(f"Rows must be whole numbers from 0 to {count - 1}, at least one. Got {str(rows)[:60]!r}.")
    return numbers.astype(np.int64)


def sample_rows(rows: Int64, size: int | None, seed: int) -> Int64:
    """Draw at most `size` of the rows without replacement, ascending; all in their order where size is None.

    Raises: InvalidParam (a size below 1).
    """
    if size is None or size >= len(rows):
        return rows
    if size < 1:
        raise InvalidParam(f"A sample must have at least 1 row. Got {size!r}.")
    return np.sort(np.random.default_rng(seed).choice(rows, size, replace=False))
