"""Turn the untyped cells of a file into the typed columns of a table, with notes about every guess."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xai_core.errors import InvalidTable
from xai_core.tabular.data.column import Column, describe_column
from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.reading.cells import MAX_CELLS, Cells
from xai_core.tabular.reading.column_types import infer_column
from xai_core.tabular.reading.text_values import TypedColumn

# A column with more distinct values than this, nearly one a row, is taken for a name or a number of the row.
MIN_IDENTIFIER_VALUES = 20
MIN_IDENTIFIER_SHARE = 0.9
# Names in a note, and notes about single columns, that are shown.
MAX_NOTES = 10
_COUNTER_NAMES = frozenset("id index row nr no number key uuid".split())


def infer_table(cells: Cells, name: str, sha256: str) -> RawTable:
    """Return the table of a file's cells.

    Raises:
        InvalidTable: fewer than two columns hold values.
    """
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
        name=name,
        frame=frame,
        columns=columns,
        rows=len(frame),
        notes=notes,
        sha256=sha256,
        boolean_words={name: column.words for name, column in typed.items() if column.kind == "boolean"},
        default_excluded=(*identifiers, *constants),
        texts={name: column.texts for name, column in typed.items() if column.texts is not None},
    )


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
