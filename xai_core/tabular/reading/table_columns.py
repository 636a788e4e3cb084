"""Turn the untyped cells of a file into the typed columns of a table, with notes about every guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa

from xai_core.errors import InvalidTable
from xai_core.tabular.data.column import Column, describe_column
from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.data.roles import ColumnSource, Role, TypedColumn, base_role
from xai_core.tabular.reading.cells import Cells
from xai_core.tabular.reading.column_notes import column_notes, list_unusable, sampling_notes
from xai_core.tabular.reading.column_sources import TextSource, ValueSource
from xai_core.tabular.reading.column_types import TextColumn, is_text, read_values
from xai_core.tabular.reading.identifiers import is_repeated_id, is_row_name
from xai_core.tabular.reading.values.number_marks import FileMarks
from xai_core.tabular.reading.values.text_values import FileContext


def infer_table(cells: Cells, name: str, sha256: str) -> RawTable:
    """Return the table of a file's cells.

    Raises:
        InvalidTable: fewer than two columns hold values.
    """
    results, sources = _read_columns(cells)
    typed = {name: column for name, column in results.items() if isinstance(column, TypedColumn)}
    if len(typed) < 2:
        raise InvalidTable(f"Two columns with values are needed, a target and a feature. Got {len(typed)}.")
    frame = pd.DataFrame({name: pd.Series(column.values, dtype=column.values.dtype) for name, column in typed.items()})
    columns = tuple(describe_column(name, column.kind, frame[name]) for name, column in typed.items())
    roles = _guess_roles(frame, columns, typed)
    return RawTable(
        name=name,
        frame=frame,
        columns=columns,
        rows=len(frame),
        reading_notes=(*sampling_notes(cells), *cells.notes, *list_unusable(results), *column_notes(typed, roles)),
        sha256=sha256,
        boolean_words={name: column.words for name, column in typed.items() if column.kind == "boolean"},
        roles=roles,
        texts={name: column.texts for name, column in typed.items() if column.texts is not None},
        sources={name: sources[name] for name in typed},
    )


def _guess_roles(frame: pd.DataFrame, columns: Sequence[Column], typed: Mapping[str, TypedColumn]) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for index, column in enumerate(columns):
        values, present = frame[column.name], len(frame) - column.missing
        distinct = values.nunique()
        # Nobody writes a number of a row with a unit or with marks.
        may_count = not typed[column.name].forms
        is_row_number = may_count and is_row_name(column, values, distinct, is_first=index == 0)
        roles[column.name] = base_role(column)
        if distinct + bool(column.missing) < 2:
            roles[column.name] = "left out"
        elif is_row_number or (distinct < present and is_repeated_id(column, distinct)):
            roles[column.name] = "id"
    return roles


def _read_columns(cells: Cells) -> tuple[dict[str, TypedColumn | str], dict[str, ColumnSource]]:
    """Return each column as it was guessed, or the reason why it cannot be used, and its cells."""
    table = cells.columns
    texts = {
        name: TextColumn.of(name, table[name], na_is_quoted=name in cells.quoted_na)
        for name in table.column_names
        if pa.types.is_dictionary(table[name].type) or is_text(table[name].type)
    }
    # First what each column knows about the file, then each column by what the others know.
    parsers = {name: column.parser() for name, column in texts.items()}
    context = FileContext(
        FileMarks.of((parser.sure_mark for parser in parsers.values()), comma_by_default=cells.decimal_comma),
        frozenset(parser.dates.order for parser in parsers.values() if parser.dates and not parser.dates.others) - {""},
    )
    results: dict[str, TypedColumn | str] = {}
    sources: dict[str, ColumnSource] = {}
    for name in table.column_names:
        if name in texts:
            # Dropped with its parts once it is read.
            results[name] = texts[name].build(parsers.pop(name).guess(context))
            sources[name] = TextSource(texts[name], context)
        else:
            results[name] = read_values(name, table[name])
            sources[name] = ValueSource(name, table[name])
    return results, sources
