"""Untyped cells of a file, and the names of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from xai_core.errors import InvalidTable
from xai_core.formatting import printable

# Of files with more cells a sample of the rows is taken.
MAX_CELLS = 2_000_000
MAX_COLUMNS = 2000
MAX_NAME_LETTERS = 200


@dataclass(frozen=True, eq=False)
class Cells:
    """Columns as the file has them: text from a CSV file, typed from a Parquet file."""

    columns: pa.Table
    rows: int
    """Rows in the file; more than in `columns` where a sample was taken."""
    notes: tuple[str, ...] = ()
    decimal_comma: bool = False
    """True where 3,5 may mean three and a half, because another mark separates the cells."""
    quoted_na: frozenset[str] = frozenset()
    """Columns with an NA in quotation marks: there it is a word, and no missing value."""
    encoding: str = ""
    """Python's name of the encoding of a CSV file."""
    encoding_is_sure: bool = True


def max_rows(columns: int) -> int:
    """Return how many rows of so many columns are kept at most."""
    return max(MAX_CELLS // columns, 1)


def tidy_name(text: str) -> str:
    """Return text as one line without control characters and double spaces."""
    return " ".join(printable(text).split())


def check_column_names(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return tidy column names, unnamed columns and equal names numbered, and notes for the visitor.

    Raises:
        InvalidTable: too many columns, no names, or one that is too long.
    """
    if len(header) > MAX_COLUMNS:
        raise InvalidTable(f"At most {MAX_COLUMNS:,} columns can be read. Got {len(header):,}: keep those that matter.")
    names = [tidy_name(name) for name in header]
    if not any(names):
        raise InvalidTable("The columns have no names. Add a first line that names them.")
    longest = max(names, key=len)
    if len(longest) > MAX_NAME_LETTERS:
        raise InvalidTable(
            f"A column's name may have {MAX_NAME_LETTERS} characters. Got one of {len(longest):,}: {longest[:40]!r}."
        )
    names, notes = _number_equal_names(names)
    full_names, more_notes = _fill_names(names)
    return full_names, notes + more_notes


def _number_equal_names(names: list[str]) -> tuple[list[str], list[str]]:
    """Return names of which each occurs once: a second "a" is called "a.1", as pandas does it."""
    free_names, renamed = [], {}
    for place, name in enumerate(names):
        fresh, count = name, 0
        while fresh and (fresh in free_names or (count and fresh in names)):
            count += 1
            fresh = f"{name}.{count}"
        free_names.append(fresh)
        if fresh != name:
            renamed[place] = f"{name!r} is called {fresh!r}"
    if not renamed:
        return names, []
    more = " and so on" if len(renamed) > 5 else ""
    return free_names, [f"More than one column has the same name: {', '.join([*renamed.values()][:5])}{more}."]


def _fill_names(names: list[str]) -> tuple[list[str], list[str]]:
    full_names: list[str] = []
    for position, name in enumerate(names):
        fresh = f"column {position + 1}"
        while not name and fresh in names:
            fresh += "'"
        full_names.append(name or fresh)
    unnamed = [repr(new) for new, old in zip(full_names, names, strict=True) if not old]
    if not unnamed:
        return full_names, []
    more = " and so on" if len(unnamed) > 5 else ""
    return full_names, [f"Columns without a name are called {', '.join(unnamed[:5])}{more}."]
