"""Tell a line of names from a line of values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from xai_core.errors import InvalidTable

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_MEASUREMENT = re.compile(r"[+-]?\d*[.,]\d+([eE][+-]?\d+)?|\d{4}-\d{2}-\d{2}.*")
_WHOLE_NUMBER = re.compile(r"[+-]?\d+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}.*")
# Words for no value, which may stand in a row of values.
_NO_VALUE = frozenset("na n/a nan null none ? - -- .".split())
# Steps between numbers that differ by no more than this share are even; instruments round them.
MAX_STEP_ERROR = 0.1
MIN_EVEN_NUMBERS = 3
# So many numbers in a line of values rise by chance once in 120 files.
MIN_UNEVEN_NUMBERS = 5
_ROWS_THAT_MAY_RISE = 5


def check_names(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Refuse a first line of values; `rows` are the first rows below it.

    Raises:
        InvalidTable: numbers and dates that no other sign makes names, or words that occur again below.
    """
    if not looks_like_names(header, rows):
        raise InvalidTable(
            f"The first line must name the columns. Got values: {', '.join(header)[:60]!r}. "
            "Add a line with names on top."
        )


def looks_like_names(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a line holds names: words, years, even steps of numbers, or a word above a column of numbers."""
    names = [cell.strip() for cell in header]
    if stands_above_numbers(names, rows):
        return True
    columns = [{cell.strip() for cell in column} for column in zip(*rows, strict=False)]
    repeated = [name for name, column in zip(names, columns, strict=False) if name and name in column]
    first_rows = [[cell.strip() for cell in row] for row in rows[:_ROWS_THAT_MAY_RISE]]
    # A word that occurs again below is a value, and so are the numbers beside it.
    if _rises(names) and not any(map(_is_word, repeated)) and not (first_rows and all(map(_rises, first_rows))):
        return True
    return 2 * len(repeated) <= len(names) and not _holds_values(names)


def stands_above_numbers(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a word of the line stands above a column of numbers."""
    columns = [{cell.strip() for cell in column} - {""} for column in zip(*rows, strict=False)]
    return any(
        _is_word(name.strip()) and column and all(map(_is_number, column))
        for name, column in zip(header, columns, strict=False)
    )


def _holds_values(names: Sequence[str]) -> bool:
    """Return whether a line holds measurements, dates or, for half of it, whole numbers that are no years."""
    years = sum(len(name) == 4 and name.isdecimal() and 1800 <= int(name) <= 2200 for name in names)
    whole_numbers = sum(_WHOLE_NUMBER.fullmatch(name) is not None for name in names)
    return any(map(_MEASUREMENT.fullmatch, names)) or 2 * (whole_numbers - years) >= len(names)


def _rises(names: Sequence[str]) -> bool:
    """Return whether three or more numbers differ by even steps, five or more rise beside a word, or dates rise."""
    dates = [name for name in names if _DATE.fullmatch(name)]
    if len(dates) >= MIN_EVEN_NUMBERS:
        return dates == sorted(set(dates))
    numbers = [float(name.replace(",", ".")) for name in names if _is_number(name)]
    steps = [right - left for left, right in pairwise(numbers)]
    if len(numbers) < MIN_EVEN_NUMBERS or not (min(steps) > 0 or max(steps) < 0):
        return False
    is_even = max(map(abs, steps)) <= (1 + MAX_STEP_ERROR) * min(map(abs, steps))
    return is_even or (len(numbers) >= MIN_UNEVEN_NUMBERS and any(map(_is_word, names)))


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _is_word(name: str) -> bool:
    return any(letter.isalpha() for letter in name) and name.lower() not in _NO_VALUE and not _is_number(name)
