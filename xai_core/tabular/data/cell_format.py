"""Cells in words, with as many digits as the column's range is worth."""

from __future__ import annotations

from math import ceil, isfinite, log10

from xai_core.tabular.data.column import Column, format_number

# Steps at least into which the shown digits divide a column's range.
MIN_STEPS = 200
MAX_DECIMALS = 15


def count_decimals(column: Column) -> int:
    """Return the decimals that tell a column's values apart: 0 for whole numbers, days and yes or no."""
    value_range = column.high - column.low
    if column.whole or column.kind != "numeric":
        return 0
    if not isfinite(value_range) or value_range <= 0:
        return 2
    return min(max(ceil(log10(MIN_STEPS / value_range)), 0), MAX_DECIMALS)


def format_cell(column: Column, value: float | str | None, decimals: int | None = None) -> str:
    """Return one cell in words: "2,700", "0.30", "0.00012", "yes", "2024-05-01" or "missing".

    `decimals`: None for as many as `count_decimals` says.
    """
    # Only NaN differs from itself.
    if column.kind != "numeric" or column.whole or value is None or isinstance(value, str) or value != value:
        return column.show(value)
    decimals = count_decimals(column) if decimals is None else decimals
    words = f"{value:,.{decimals}f}" if decimals <= 6 else format_number(value)
    # A small number beside large ones must not look like none.
    is_lost = value != 0 and not words.strip("-0.,")
    return format_number(value) if is_lost else words


def format_cell_pair(column: Column, old: float | str | None, new: float | str | None) -> tuple[str, str]:
    """Return two different cells in words, with enough digits to look different."""
    for extra in range(5):
        decimals = count_decimals(column) + extra
        words = format_cell(column, old, decimals), format_cell(column, new, decimals)
        if words[0] != words[1]:
            break
    return words
