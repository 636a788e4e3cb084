"""An own file to typed columns: CSV or Parquet, checked at the edge and refused in words."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from xai_core.errors import InvalidTable
from xai_core.tabular.data.column import Column, describe
from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.reading.cells import MAX_CELLS, Cells, tidy
from xai_core.tabular.reading.column_types import typed
from xai_core.tabular.reading.csv_file import read_csv
from xai_core.tabular.reading.parquet_file import MAGIC, read_parquet
from xai_core.tabular.reading.text_values import Typed

MAX_BYTES = 200 * 1024 * 1024
MANY = 20
"""With more different values than this, a column in which nearly every row has its own is taken for a name or a number of the row."""
_NEARLY_ALL = 0.9
_MANY_NOTES = 10
_COUNTERS = frozenset("id index row nr no number key uuid".split())

Source = str | Path | bytes | IO[bytes]


def read_table(source: Source, name: str = "") -> RawTable:
    """A CSV or Parquet file, by its path, its bytes, or open for reading. Beyond 2 million cells a sample of the rows is taken.

    Raises InvalidTable with what is wrong and what to do.
    """
    data = _bytes(source)
    cells = read_parquet(data) if data.startswith(MAGIC) else read_csv(data)
    read = {name: typed(name, cells.columns[name], cells.decimal_comma) for name in cells.columns.column_names}
    found = {name: column for name, column in read.items() if isinstance(column, Typed)}
    if len(found) < 2:
        raise InvalidTable(f"Two columns with values are needed, a target and a feature. Got {len(found)}.")
    frame = pd.DataFrame({name: pd.Series(column.values, dtype=column.values.dtype) for name, column in found.items()})
    columns = tuple(describe(name, column.kind, frame[name]) for name, column in found.items())
    own = [column.name for column in columns if _own_in_every_row(column, frame[column.name])]
    same = [column.name for column in columns if frame[column.name].nunique() + bool(column.missing) < 2]
    notes = [*_sampling_note(cells), *cells.notes, *_left_out(read), *_column_notes(found), *_not_used(own, same)]
    words = {name: column.words for name, column in found.items() if column.kind == "boolean"}
    digest = hashlib.sha256(data).hexdigest()
    return RawTable(_name(source, name), frame, columns, len(frame), tuple(notes), digest, words, (*own, *same))


def _bytes(source: Source) -> bytes:
    """The whole file. Raises InvalidTable where it is too large, before it is in memory, or cannot be opened."""
    if isinstance(source, bytes):
        return _checked(source)
    if isinstance(source, str | Path):
        try:
            with open(source, "rb") as file:
                return _checked(file.read(MAX_BYTES + 1))
        except OSError as error:
            raise InvalidTable(f"The file {Path(source).name!r} cannot be opened: {error.strerror}.") from error
    if source.seekable():
        source.seek(0)
    return _checked(source.read(MAX_BYTES + 1))


def _checked(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise InvalidTable(
            f"A table may have {MAX_BYTES // 1024**2} MB. This one has more: leave out rows or columns, or save it as Parquet."
        )
    if not data:
        raise InvalidTable("This file is empty. A table needs a first line with names, and rows below it.")
    return data


def _name(source: Source, name: str) -> str:
    given: Any = name or (source if isinstance(source, str | Path) else getattr(source, "name", ""))
    return tidy(Path(str(given)).name)[:80] or "table"


def _own_in_every_row(column: Column, values: pd.Series) -> bool:
    """Whether a column names or counts the rows, so that a model could only learn them by heart."""
    different = values.nunique()
    if different <= MANY:
        return False
    if column.kind == "category":
        return bool(different > _NEARLY_ALL * (len(values) - column.missing))
    called_so = column.name.lower().replace("_", " ").split()[-1] in _COUNTERS
    counts_up = bool(np.all(np.diff(values.to_numpy()) > 0))
    return column.whole and bool(different == len(values)) and (called_so or counts_up)


def _sampling_note(cells: Cells) -> list[str]:
    kept, columns = len(cells.columns), len(cells.columns.column_names)
    if kept == cells.rows:
        return []
    note = f"The file has {cells.rows:,} rows of {columns} columns, more than {MAX_CELLS:,} cells. "
    return [note + f"{kept:,} rows were drawn by chance (the same ones every time) and the others left out."]


def _column_notes(found: dict[str, Typed]) -> list[str]:
    """What is to be said of single columns: of ways to write numbers one sentence each, of the rest the first few."""
    forms = dict.fromkeys(column.form for column in found.values() if column.form)
    written = [
        f"{form} in {_shown([name for name, column in found.items() if column.form == form])}." for form in forms
    ]
    single = [column.note for column in found.values() if column.note]
    more = (
        [f"And {len(single) - _MANY_NOTES:,} columns more with notes like these."] if len(single) > _MANY_NOTES else []
    )
    return written + single[:_MANY_NOTES] + more


def _left_out(read: dict[str, Typed | str]) -> list[str]:
    reasons = dict.fromkeys(reason for reason in read.values() if isinstance(reason, str))
    return [
        f"Left out, because {reason}: {_shown([name for name, found in read.items() if found == reason])}."
        for reason in reasons
    ]


def _not_used(own: list[str], same: list[str]) -> list[str]:
    notes = []
    if own:
        notes.append(
            f"Not used unless you choose it, because nearly every row has its own value, like a name or a number: {_shown(own)}."
        )
    if same:
        notes.append(f"Not used, because every row says the same: {_shown(same)}.")
    return notes


def _shown(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:_MANY_NOTES]) + (" and so on" if len(names) > _MANY_NOTES else "")
