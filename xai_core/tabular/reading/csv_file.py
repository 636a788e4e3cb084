"""CSV: find the mark between cells and the header, then read block by block with Arrow, keeping a sample of the rows that fits."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice

import pyarrow as pa
from pyarrow import csv as arrow_csv

from xai_core.errors import InvalidTable
from xai_core.tabular.reading.cells import Cells, column_names, rows_to_keep
from xai_core.tabular.reading.row_sample import RowSample
from xai_core.text_decoding import convert_table_to_utf8, find_separator_line

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_HEAD_BYTES = 1 << 18
"""The header and the first rows are looked for in here."""
_BLOCK_BYTES = 1 << 20
"""A row must fit into a block."""
_MOST_BAD_ROWS = 10_000
_MOST_BAD_SHARE = 0.1
_LONG_ROW = f'A row has more than {_BLOCK_BYTES // 1024} kB. Perhaps a quotation mark (") is opened and never closed: close it, or take it out.'
_MEASURED = re.compile(r"[+-]?\d*[.,]\d+([eE][+-]?\d+)?|\d{4}-\d{2}-\d{2}.*")
_WHOLE = re.compile(r"[+-]?\d+")
_LINE = re.compile(rb"[^\r\n]+")


def read_csv(data: bytes) -> Cells:
    """Every cell as text. Raises InvalidTable with what is wrong with the file."""
    text = convert_table_to_utf8(data)
    start, head = _head(text)
    named, below = find_separator_line(head)
    start, head = start + below, head[below:]
    delimiter = named or _delimiter(head)
    header = next(iter(_records(head, delimiter)), [])
    if len(header) < 2:
        allowed = ", ".join(DELIMITERS.values())
        raise InvalidTable(
            f"A table needs two columns or more, parted by {allowed}. Got one column: {' '.join(header)[:60]!r}."
        )
    _refuse_values_as_names(header)
    names, notes = column_names(header)
    cells, rows, bad = _read_blocks(text, start, names, delimiter)
    _refuse_names_among_values(names, cells)
    if bad:
        notes.append(f"{bad:,} of {rows + bad:,} rows had too many or too few cells and were left out.")
    return Cells(cells, rows, tuple(notes), decimal_comma=delimiter != ",")


def _head(text: bytes) -> tuple[int, str]:
    """Where the header starts, and the beginning of the text from there on, in whole lines."""
    start = len(text) - len(text.lstrip(b"\r\n"))
    head = text[start : start + _HEAD_BYTES].decode("utf-8", "ignore")
    if not head.strip():
        raise InvalidTable("This file is empty. A table needs a first line with names, and rows below it.")
    if start + _HEAD_BYTES < len(text):
        end = max(head.rfind("\n"), head.rfind("\r")) + 1
        if not end:
            raise InvalidTable(
                f"The first line is longer than {_HEAD_BYTES // 1024} kB: this is no table of rows and columns."
            )
        head = head[:end]
    return start, head


def _delimiter(head: str) -> str:
    """The mark that gives most lines as many cells as the first, and more than one."""

    def fitness(mark: str) -> tuple[float, int]:
        widths = [len(record) for record in _records(head, mark)]
        return (widths.count(widths[0]) / len(widths), widths[0]) if widths and widths[0] > 1 else (0.0, 0)

    return max(DELIMITERS, key=fitness)


def _records(head: str, delimiter: str) -> list[list[str]]:
    """The first 50 records that are not empty; a cell too long for the csv module ends the list."""
    records: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(head, newline=None), delimiter=delimiter):
            records += [record] if record else []
            if len(records) == 50:
                break
    except csv.Error:
        pass
    return records


def _refuse_values_as_names(header: list[str]) -> None:
    """Names of columns are words, perhaps a year; measured numbers and dates are values."""
    cells = [cell.strip() for cell in header]
    years = sum(len(cell) == 4 and cell.isdecimal() and 1800 <= int(cell) <= 2200 for cell in cells)
    whole = sum(_WHOLE.fullmatch(cell) is not None for cell in cells)
    if any(_MEASURED.fullmatch(cell) for cell in cells) or 2 * (whole - years) >= len(cells):
        raise _no_header(header)


def _refuse_names_among_values(names: list[str], cells: pa.Table) -> None:
    """Where most words of the first line are found again below it, in their own column, that line is a row like the others."""
    first = cells.slice(0, 1000)
    again = sum(name in set(first[name].to_pylist()) for name in names)
    if 2 * again > len(names):
        raise _no_header(names)


def _no_header(header: list[str]) -> InvalidTable:
    return InvalidTable(
        f"The first line must name the columns. Got values: {', '.join(header)[:60]!r}. Add a line with names on top."
    )


def _read_blocks(text: bytes, start: int, names: list[str], delimiter: str) -> tuple[pa.Table, int, int]:
    """The rows kept, the number of good rows and the number of bad ones."""
    if len(list(islice(_LINE.finditer(text, start), 2))) < 2:
        raise InvalidTable("There are names of columns but no rows below them.")
    bad: list[int] = []

    def pass_over(row: arrow_csv.InvalidRow) -> str:
        bad.append(row.actual_columns)
        return "skip" if len(bad) <= _MOST_BAD_ROWS else "error"

    sample = RowSample(rows_to_keep(len(names)))
    schema = pa.schema([(name, pa.string()) for name in names])
    try:
        for batch in _open(memoryview(text)[start:], schema, delimiter, pass_over):
            sample.add(batch)
    except pa.ArrowInvalid as error:
        raise _ragged(names, bad) if len(bad) > _MOST_BAD_ROWS else InvalidTable(_LONG_ROW) from error
    _refuse_open_quote(text, start, 1 + sample.seen + len(bad))
    if len(bad) > _MOST_BAD_SHARE * (sample.seen + len(bad)):
        raise _ragged(names, bad)
    return sample.table(schema), sample.seen, len(bad)


def _open(text: memoryview, schema: pa.Schema, delimiter: str, pass_over: object) -> arrow_csv.CSVStreamingReader:
    return arrow_csv.open_csv(
        pa.BufferReader(text),
        arrow_csv.ReadOptions(
            use_threads=False, block_size=_BLOCK_BYTES, column_names=schema.names, skip_rows_after_names=1
        ),
        arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=pass_over),
        arrow_csv.ConvertOptions(column_types=schema, strings_can_be_null=False, check_utf8=False),
    )


def _ragged(names: list[str], bad: list[int]) -> InvalidTable:
    return InvalidTable(
        f"The rows must have as many cells as the first line has names, {len(names)}. Got {len(bad):,} or more rows that do not, "
        f"the first with {bad[0]}."
    )


def _refuse_open_quote(text: bytes, start: int, records: int) -> None:
    """A quotation mark that is never closed swallows the lines after it into one cell."""
    if text.count(b'"', start) % 2 and sum(1 for _ in _LINE.finditer(text, start)) > records:
        raise InvalidTable(
            'A quotation mark (") is opened and never closed, so that whole lines end up in one cell. Close it, or take it out.'
        )
