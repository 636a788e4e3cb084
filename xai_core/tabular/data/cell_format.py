"""Numbers of a column in words, with as many digits as the column's spread is worth."""

from __future__ import annotations

from math import ceil, isfinite, log10

from xai_core.tabular.data.column import Column

STEPS = 200
"""Into so many steps at least the digits shown divide a column's range."""
MOST_DECIMALS = 15


def count_decimals(column: Column) -> int:
    """Digits after the point that tell this column's values apart: 0 for whole numbers, for days and for yes or no."""
    spread = column.high - column.low
    if column.whole or column.kind != "numeric":
        return 0
    if not isfinite(spread) or spread <= 0:
        return 2
    return min(max(ceil(log10(STEPS / spread)), 0), MOST_DECIMALS)


def format_cell(column: Column, value: float | str | None, digits: int | None = None) -> str:
    """One cell, such as "2,700", "0.30", "yes", "2024-05-01" or "missing"; `digits` after the point, or as many as are worth it."""
    if column.kind != "numeric" or column.whole or value is None or value != value:  # only NaN is unlike itself
        return column.show(value)
    digits = count_decimals(column) if digits is None else digits
    return f"{value:,.{digits}f}" if digits <= 6 else f"{value:.3g}"


def format_cell_pair(column: Column, old: float | str | None, new: float | str | None) -> tuple[str, str]:
    """Two different cells, with enough digits to look different."""
    for more in range(5):
        words = tuple(format_cell(column, each, count_decimals(column) + more) for each in (old, new))
        if words[0] != words[1]:
            break
    return words[0], words[1]
