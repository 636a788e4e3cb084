"""Read a CSV or Parquet file into typed columns; what is wrong with a file is told in a sentence."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from xai_core.errors import InvalidTable
from xai_core.tabular.data.column import Column, describe_column
from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.reading.cells import MAX_CELLS, Cells, tidy_name
from xai_core.tabular.reading.column_types import infer_column
from xai_core.tabular.reading.csv_file import read_csv
from xai_core.tabular.reading.parquet_file import MAGIC, read_parquet
from xai_core.tabular.reading.text_values import TypedColumn

MAX_BYTES = 200 * 1024 * 1024
# A column with more distinct values than this, nearly one a row, is taken for a name or a number of the row.
MIN_IDENTIFIER_VALUES = 20
MIN_IDENTIFIER_SHARE = 0.9
# Names in a note, and notes about single columns, that are shown.
MAX_NOTES = 10
_COUNTER_NAMES = frozenset("id index row nr no number key uuid".split())

Source = str | Path | bytes | IO[bytes]


def read_table(source: Source, name: str = "") -> RawTable:
    """Read a CSV or Parquet file by its path, its bytes, or open; beyond 2 million cells a sample of the rows is taken.

    Raises:
        InvalidTable: the file cannot be used, with what is wrong and what to do.

    >>> raw = read_table(b"size,colour\\n1.5,red\\n2,blue\\n")
    >>> [(column.name, column.kind) for column in raw.columns]
    [('size', 'numeric'), ('colour', 'category')]
    """
    data = _read_bytes(source)
    cells = read_parquet(data) if data.startswith(MAGIC) else read_csv(data)
    results = {
        name: infer_column(name, cells.columns[name], cells.decimal_comma) for name in cells.columns.column_names
    }
    typed = {name: column for name, column in results.items() if isinstance(column, TypedColumn)}
    if len(typed) < 2:
        raise InvalidTable(f"Two columns with values are needed, a target and a feature. Got {len(typed)}.")
    frame = pd.DataFrame({name: pd.Series(column.values, dtype=column.values.dtype) for name, column in typed.items()})
    columns = tuple(describe_column(name, column.kind, frame[name]) for name, column in typed.items())
    identifiers = [column.name for column in columns if _is_identifier(column, frame[column.name])]
    constants = [column.name for column in columns if frame[column.name].nunique() + bool(column.missing) < 2]
    notes = (
        *_sampling_notes(cells),
        *cells.notes,
        *_unusable_notes(results),
        *_column_notes(typed),
        *_default_notes(identifiers, constants),
    )
    return RawTable(
        name=_table_name(source, name),
        frame=frame,
        columns=columns,
        rows=len(frame),
        notes=notes,
        sha256=hashlib.sha256(data).hexdigest(),
        boolean_words={name: column.words for name, column in typed.items() if column.kind == "boolean"},
        default_excluded=(*identifiers, *constants),
        texts={name: column.texts for name, column in typed.items() if column.texts is not None},
    )


def _read_bytes(source: Source) -> bytes:
    """Return the whole file.

    Raises:
        InvalidTable: it is too large (before it is in memory), empty, or cannot be opened.
    """
    if isinstance(source, bytes):
        return _check_size(source)
    if isinstance(source, str | Path):
        try:
            with open(source, "rb") as file:
                return _check_size(file.read(MAX_BYTES + 1))
        except OSError as error:
            raise InvalidTable(f"The file {Path(source).name!r} cannot be opened: {error.strerror}.") from error
    if source.seekable():
        source.seek(0)
    return _check_size(source.read(MAX_BYTES + 1))


def _check_size(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise InvalidTable(
            f"A table may have {MAX_BYTES // 1024**2} MB. This one has more: leave out rows or columns, "
            "or save it as Parquet."
        )
    if not data:
        raise InvalidTable("This file is empty. A table needs a first line with names, and rows below it.")
    return data


def _table_name(source: Source, name: str) -> str:
    given: Any = name or (source if isinstance(source, str | Path) else getattr(source, "name", ""))
    return tidy_name(Path(str(given)).name)[:80] or "table"


def _is_identifier(column: Column, values: pd.Series) -> bool:
    """Return whether a column names or counts the rows, so that a model could only learn them by heart."""
    distinct = values.nunique()
    if distinct <= MIN_IDENTIFIER_VALUES:
        return False
    if column.kind == "category":
        return bool(distinct > MIN_IDENTIFIER_SHARE * (len(values) - column.missing))
    has_counter_name = column.name.lower().replace("_", " ").split()[-1] in _COUNTER_NAMES
    counts_up = bool(np.all(np.diff(values.to_numpy()) > 0))
    return column.whole and bool(distinct == len(values)) and (has_counter_name or counts_up)


def _sampling_notes(cells: Cells) -> list[str]:
    sampled, columns = len(cells.columns), len(cells.columns.column_names)
    if sampled == cells.rows:
        return []
    note = f"The file has {cells.rows:,} rows of {columns} columns, more than {MAX_CELLS:,} cells. "
    return [note + f"{sampled:,} rows were drawn by chance (the same ones every time) and the others left out."]


def _column_notes(columns: dict[str, TypedColumn]) -> list[str]:
    """Return notes about single columns: one for each form of numbers, and the first few of the rest."""
    forms = dict.fromkeys(column.form for column in columns.values() if column.form)
    form_notes = [
        f"{form} in {_list_names([name for name, column in columns.items() if column.form == form])}." for form in forms
    ]
    notes = [column.note for column in columns.values() if column.note]
    hidden = len(notes) - MAX_NOTES
    rest = [f"And {hidden:,} columns more with notes like these."] if hidden > 0 else []
    return form_notes + notes[:MAX_NOTES] + rest


def _unusable_notes(results: dict[str, TypedColumn | str]) -> list[str]:
    reasons = dict.fromkeys(reason for reason in results.values() if isinstance(reason, str))
    return [
        f"Left out, because {reason}: {_list_names([name for name, result in results.items() if result == reason])}."
        for reason in reasons
    ]


def _default_notes(identifiers: list[str], constants: list[str]) -> list[str]:
    """Return notes about the columns that are no features unless a visitor chooses them."""
    notes = []
    if identifiers:
        notes.append(
            "Not used unless you choose it, because nearly every row has its own value, like a name or a number: "
            f"{_list_names(identifiers)}."
        )
    if constants:
        notes.append(f"Not used, because every row says the same: {_list_names(constants)}.")
    return notes


def _list_names(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:MAX_NOTES]) + (" and so on" if len(names) > MAX_NOTES else "")
