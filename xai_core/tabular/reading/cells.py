"""The cells of a file before anybody knows what they mean, and the names of its columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from xai_core.errors import InvalidTable

MAX_CELLS = 2_000_000
"""Beyond this many cells a sample of the rows is taken."""
MAX_COLUMNS = 2000
_LONGEST_NAME = 200


@dataclass(frozen=True, eq=False)
class Cells:
    """Columns as the file has them: text of a CSV file, typed in a Parquet file."""

    columns: pa.Table
    rows: int
    """Rows in the file; more than in `columns` where a sample was taken."""
    notes: tuple[str, ...] = ()
    decimal_comma: bool = False
    """Whether 3,5 may mean three and a half, because commas do not part the cells."""


def rows_to_keep(columns: int) -> int:
    return max(MAX_CELLS // columns, 1)


def tidy(text: str) -> str:
    """On one line, without control characters and double spaces: fit to be shown as a name."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def column_names(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tidied names, a made one where there is none, and notes. Raises InvalidTable for names that cannot be used."""
    if len(header) > MAX_COLUMNS:
        raise InvalidTable(f"At most {MAX_COLUMNS:,} columns can be read. Got {len(header):,}: keep those that matter.")
    names = [tidy(name) for name in header]
    if not any(names):
        raise InvalidTable("The columns have no names. Add a first line that names them.")
    longest = max(names, key=len)
    if len(longest) > _LONGEST_NAME:
        raise InvalidTable(
            f"A column's name may have {_LONGEST_NAME} characters. Got one of {len(longest):,}: {longest[:40]!r}."
        )
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        shown = ", ".join(repr(name) for name in twice[:5])
        raise InvalidTable(f"Each column needs a name of its own. More than one column is called {shown}.")
    return _with_made_names(names)


def _with_made_names(names: list[str]) -> tuple[list[str], list[str]]:
    made: list[str] = []
    for position, name in enumerate(names):
        fresh = f"column {position + 1}"
        while not name and fresh in names:
            fresh += "'"
        made.append(name or fresh)
    unnamed = [repr(new) for new, old in zip(made, names, strict=True) if not old]
    notes = (
        [f"Columns without a name are called {', '.join(unnamed[:5])}{' and so on' if len(unnamed) > 5 else ''}."]
        if unnamed
        else []
    )
    return made, notes
