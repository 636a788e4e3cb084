"""Read an Excel workbook (XLSX): the first sheet that holds a table, dates as dates, formulas by their results."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, TypeAlias
from xml.etree.ElementTree import ParseError

import numpy as np
import openpyxl  # type: ignore[import-untyped]  # ships no types
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]  # ships no types

from xai_core.errors import InvalidTable
from xai_core.formatting import printable
from xai_core.tabular.reading.cells import MAX_COLUMNS, Cells, check_column_names, max_rows
from xai_core.tabular.reading.header import check_names
from xai_core.tabular.reading.protected_file import PROTECTED

MAGIC = b"PK\x03\x04"
# A workbook is a zip; what its parts say they hold is checked before any of them is unpacked.
MAX_UNPACKED_BYTES = 1 << 30
MAX_PARTS = 10_000
# Parts that are read as a whole: texts of all cells, and formats.
MAX_WHOLE_PART_BYTES = 128 << 20
MAX_ROWS = 1_048_576
MAX_CELLS = 20_000_000
MAX_SHEETS = 50
# The names of the columns are looked for in so many rows.
HEAD_ROWS = 100
_ERRORS = frozenset(("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!"))
_DAMAGED = "This Excel file is damaged or cannot be read. Save it again in Excel, or save the table as CSV (UTF-8)."
# What the parser raises for parts that do not say what they should.
_FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    InvalidFileException,
    ParseError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)

Value: TypeAlias = "str | float | bool | dt.datetime | None"
Row = tuple[Value, ...]


@dataclass(frozen=True)
class _Sheet:
    """Names, the rows below them and how many there are, and what stands above the names."""

    header: Row
    rows: Sequence[Row]
    row_count: int
    lines_above: Sequence[str]


def is_workbook(data: bytes) -> bool:
    """Return whether these are the bytes of an XLSX file, and not of another zip."""
    if not data.startswith(MAGIC):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return any(name.startswith("xl/") and name.endswith(".xml") for name in file.namelist())
    except _FAULTS:
        # The list of parts is at the end: a file that was cut off still begins with their names.
        return b"xl/" in data or b"[Content_Types].xml" in data


def read_xlsx(data: bytes) -> Cells:
    """Return typed columns where all cells of a column are of one type, else text.

    Raises:
        InvalidTable: a file that is damaged, locked, too large once unpacked, or without a table.
    """
    try:
        return _read(data)
    except _FAULTS as error:
        raise InvalidTable(_DAMAGED) from error


def _read(data: bytes) -> Cells:
    _check_unpacked_size(data)
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    try:
        names = [sheet.title for sheet in book.worksheets[:MAX_SHEETS]]
        for place, sheet in enumerate(book.worksheets[:MAX_SHEETS]):
            # What a sheet says about its size may be wrong.
            sheet.reset_dimensions()
            table = _read_sheet(sheet.iter_rows(values_only=True))
            if table is not None:
                return _build_cells(table, _sheet_notes(names, place))
    finally:
        book.close()
    raise InvalidTable(
        "No sheet of this Excel file holds a table. A table needs a first line with names of two columns or more, and "
        "rows below it."
    )


def _check_unpacked_size(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        parts = file.infolist()
    # The first bit of a part's flags: encrypted.
    if any(part.flag_bits & 1 for part in parts):
        raise InvalidTable(PROTECTED)
    whole = [part.file_size for part in parts if not part.filename.startswith("xl/worksheets/")]
    total = sum(part.file_size for part in parts)
    if total > MAX_UNPACKED_BYTES or max(whole, default=0) > MAX_WHOLE_PART_BYTES or len(parts) > MAX_PARTS:
        raise InvalidTable(
            f"Unpacked this Excel file is too large: at most {MAX_UNPACKED_BYTES >> 30} GB can be read, and "
            f"{MAX_WHOLE_PART_BYTES >> 20} MB of text. Save the table as CSV (UTF-8) or Parquet."
        )


def _sheet_notes(names: Sequence[str], place: int) -> list[str]:
    if len(names) == 1:
        return []
    others = [repr(printable(name, 40)) for number, name in enumerate(names) if number != place]
    more = " and so on" if len(others) > 5 else ""
    title = printable(names[place], 40)
    note = f"The table is on the sheet {title!r}. Not read: {', '.join(others[:5])}{more}."
    return [f"{note} To read another sheet, move it to the front."]


def _read_sheet(rows: Iterator[tuple[Any, ...]]) -> _Sheet | None:
    """Return the table of a sheet, None where there is none."""
    counted = _tidy_rows(rows)
    head = list(islice(counted, HEAD_ROWS))
    width = max(map(len, head), default=0)
    start = next((number for number, row in enumerate(head) if _count(row) >= max(2, (width + 1) // 2)), None)
    if start is None or start + 1 >= len(head):
        return None
    header = head[start]
    sample, row_count = _sample_rows(chain(head[start + 1 :], counted), max(width, 1))
    above = [" ".join(str(value) for value in row if value is not None) for row in head[:start]]
    return _Sheet(header, sample, row_count, above)


def _count(row: Row) -> int:
    return sum(value is not None for value in row)


def _tidy_rows(rows: Iterator[tuple[Any, ...]]) -> Iterator[Row]:
    """Yield the rows with a value, without the empty cells at their end.

    Raises:
        InvalidTable: more rows or cells than can be read.
    """
    cells = 0
    for number, row in enumerate(rows):
        cells += len(row)
        if number >= MAX_ROWS or cells > MAX_CELLS:
            raise InvalidTable(
                f"This Excel sheet is too large: at most {MAX_CELLS:,} cells can be read. Save it as CSV (UTF-8) or "
                "Parquet."
            )
        values = [_tidy_value(value) for value in row]
        while values and values[-1] is None:
            values.pop()
        if values:
            yield tuple(values)


def _tidy_value(value: Any) -> Value:
    """Return a cell as a text, number, truth value or moment; an error of a formula is no value."""
    if value is None or isinstance(value, bool | dt.datetime):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)
    text = str(value)
    return None if not text.strip() or text in _ERRORS else text


def _sample_rows(rows: Iterator[Row], width: int) -> tuple[list[Row], int]:
    """Return all rows, or a sample in their order in which each had the same chance, and how many there are."""
    size, rng = max_rows(width), np.random.default_rng(0)
    sample: list[tuple[int, Row]] = []
    count = 0
    for number, row in enumerate(rows):
        count = number + 1
        place = number if number < size else int(rng.integers(count))
        if place < len(sample):
            sample[place] = (number, row)
        elif place < size:
            sample.append((number, row))
    return [row for _, row in sorted(sample, key=lambda entry: entry[0])], count


def _build_cells(sheet: _Sheet, notes: list[str]) -> Cells:
    width = max(len(sheet.header), *map(len, sheet.rows))
    if width > MAX_COLUMNS:
        # check_column_names says so in words.
        check_column_names(["name"] * width)
    columns = [[row[at] if at < len(row) else None for row in sheet.rows] for at in range(width)]
    header = [_write(sheet.header[at]) if at < len(sheet.header) else "" for at in range(width)]
    # An empty column between two others, or at the left edge, belongs to the layout.
    used = [at for at in range(width) if header[at] or any(value is not None for value in columns[at])]
    if len(used) < 2:
        raise InvalidTable("A table needs two columns or more. This Excel sheet has one.")
    header = [header[at] for at in used]
    first_rows = [[_write(columns[at][row]) for at in used] for row in range(min(len(sheet.rows), HEAD_ROWS))]
    check_names(header, first_rows)
    names, name_notes = check_column_names(header)
    if sheet.lines_above:
        count = len(sheet.lines_above)
        lines = "1 line" if count == 1 else f"{count:,} lines"
        first = printable(sheet.lines_above[0].strip(), 60)
        notes.append(f"{lines} above the names of the columns left out: {first!r}.")
    table = pa.table({name: _to_arrow(columns[at]) for name, at in zip(names, used, strict=True)})
    return Cells(table, sheet.row_count, (*notes, *name_notes))


def _to_arrow(values: Sequence[Value]) -> pa.Array:
    """Return moments, numbers or truth values as such where a column holds nothing else, any other column as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {dt.datetime}:
        return pa.array(values, pa.timestamp("us"))
    if kinds == {float}:
        return pa.array(values, pa.float64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    return pa.array([_write(value) for value in values], pa.string())


def _write(value: Value) -> str:
    """Return a cell as a CSV file would write it."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        is_day = value.time() == dt.time()
        return value.date().isoformat() if is_day else value.isoformat(" ", "seconds")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
