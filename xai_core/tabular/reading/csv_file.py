"""Read CSV: find the delimiter and the header, then read block by block with Arrow and keep a sample that fits."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice

import pyarrow as pa
from pyarrow import csv as arrow_csv

from xai_core.errors import InvalidTable
from xai_core.tabular.reading.cells import Cells, check_column_names, max_rows
from xai_core.tabular.reading.row_sample import RowSample
from xai_core.text_decoding import decode_table, find_separator_line

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
# The header and the first rows are looked for in here.
HEAD_BYTES = 1 << 18
HEAD_RECORDS = 50
# A row must fit into a block.
BLOCK_BYTES = 1 << 20
MAX_BAD_ROWS = 10_000
MAX_BAD_SHARE = 0.1
_LONG_ROW = (
    f'A row has more than {BLOCK_BYTES // 1024} kB. Perhaps a quotation mark (") is opened and never closed: '
    "close it, or take it out."
)
_MEASUREMENT = re.compile(r"[+-]?\d*[.,]\d+([eE][+-]?\d+)?|\d{4}-\d{2}-\d{2}.*")
_WHOLE_NUMBER = re.compile(r"[+-]?\d+")
_LINE = re.compile(rb"[^\r\n]+")


def read_csv(data: bytes) -> Cells:
    """Return every cell as text.

    Raises:
        InvalidTable: no table of text, with what is wrong and what to do.
    """
    text = decode_table(data).utf8
    start, head = _find_head(text)
    named_delimiter, head_start = find_separator_line(head)
    start, head = start + head_start, head[head_start:]
    delimiter = named_delimiter or _guess_delimiter(head)
    header = next(iter(_parse_head(head, delimiter)), [])
    if len(header) < 2:
        allowed = ", ".join(DELIMITERS.values())
        raise InvalidTable(
            f"A table needs two columns or more, parted by {allowed}. Got one column: {' '.join(header)[:60]!r}."
        )
    _check_header_has_no_values(header)
    names, notes = check_column_names(header)
    cells, rows, bad_rows = _read_blocks(text, start, names, delimiter)
    _check_names_are_no_values(names, cells)
    if bad_rows:
        notes.append(f"{bad_rows:,} of {rows + bad_rows:,} rows had too many or too few cells and were left out.")
    return Cells(cells, rows, tuple(notes), decimal_comma=delimiter != ",")


def _find_head(text: bytes) -> tuple[int, str]:
    """Return the start of the header, and the beginning of the text from there in whole lines."""
    start = len(text) - len(text.lstrip(b"\r\n"))
    head = text[start : start + HEAD_BYTES].decode("utf-8", "ignore")
    if not head.strip():
        raise InvalidTable("This file is empty. A table needs a first line with names, and rows below it.")
    if start + HEAD_BYTES < len(text):
        # A cut line would look like a row with too few cells.
        end = max(head.rfind("\n"), head.rfind("\r")) + 1
        if not end:
            raise InvalidTable(
                f"The first line is longer than {HEAD_BYTES // 1024} kB: this is no table of rows and columns."
            )
        head = head[:end]
    return start, head


def _guess_delimiter(head: str) -> str:
    """Return the delimiter that gives most records as many cells as the first, and more than one."""

    def rate(delimiter: str) -> tuple[float, int]:
        widths = [len(record) for record in _parse_head(head, delimiter)]
        return (widths.count(widths[0]) / len(widths), widths[0]) if widths and widths[0] > 1 else (0.0, 0)

    return max(DELIMITERS, key=rate)


def _parse_head(head: str, delimiter: str) -> list[list[str]]:
    """Return the first records that are not empty; a cell too long for the csv module ends the list."""
    records: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(head, newline=None), delimiter=delimiter):
            records += [record] if record else []
            if len(records) == HEAD_RECORDS:
                break
    except csv.Error:
        pass
    return records


def _check_header_has_no_values(header: list[str]) -> None:
    """Refuse a first line of measurements and dates: names of columns are words, perhaps a year."""
    cells = [cell.strip() for cell in header]
    years = sum(len(cell) == 4 and cell.isdecimal() and 1800 <= int(cell) <= 2200 for cell in cells)
    whole_numbers = sum(_WHOLE_NUMBER.fullmatch(cell) is not None for cell in cells)
    if any(_MEASUREMENT.fullmatch(cell) for cell in cells) or 2 * (whole_numbers - years) >= len(cells):
        raise _no_header_error(header)


def _check_names_are_no_values(names: list[str], cells: pa.Table) -> None:
    """Refuse a first line most of whose words occur again below, in their own column: it is a row like the others."""
    first_rows = cells.slice(0, 1000)
    repeated = sum(name in set(first_rows[name].to_pylist()) for name in names)
    if 2 * repeated > len(names):
        raise _no_header_error(names)


def _no_header_error(header: list[str]) -> InvalidTable:
    return InvalidTable(
        f"The first line must name the columns. Got values: {', '.join(header)[:60]!r}. Add a line with names on top."
    )


def _read_blocks(text: bytes, start: int, names: list[str], delimiter: str) -> tuple[pa.Table, int, int]:
    """Return the sampled rows, the number of good rows and the number of bad ones."""
    if len(list(islice(_LINE.finditer(text, start), 2))) < 2:
        raise InvalidTable("There are names of columns but no rows below them.")
    bad_widths: list[int] = []

    def skip_row(row: arrow_csv.InvalidRow) -> str:
        bad_widths.append(row.actual_columns)
        return "skip" if len(bad_widths) <= MAX_BAD_ROWS else "error"

    sample = RowSample(max_rows(len(names)))
    schema = pa.schema([(name, pa.string()) for name in names])
    try:
        for batch in _open_reader(memoryview(text)[start:], schema, delimiter, skip_row):
            sample.add(batch)
    except pa.ArrowInvalid as error:
        # Arrow has one error for both: our handler's refusal and a row larger than a block.
        too_many = len(bad_widths) > MAX_BAD_ROWS
        raise _ragged_rows_error(names, bad_widths) if too_many else InvalidTable(_LONG_ROW) from error
    # The header is a record too.
    _check_quotes_close(text, start, 1 + sample.row_count + len(bad_widths))
    if len(bad_widths) > MAX_BAD_SHARE * (sample.row_count + len(bad_widths)):
        raise _ragged_rows_error(names, bad_widths)
    return sample.to_table(schema), sample.row_count, len(bad_widths)


def _open_reader(text: memoryview, schema: pa.Schema, delimiter: str, skip_row: object) -> arrow_csv.CSVStreamingReader:
    return arrow_csv.open_csv(
        pa.BufferReader(text),
        arrow_csv.ReadOptions(
            use_threads=False, block_size=BLOCK_BYTES, column_names=schema.names, skip_rows_after_names=1
        ),
        arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip_row),
        # The text was decoded here, so that it need not be checked again.
        arrow_csv.ConvertOptions(column_types=schema, strings_can_be_null=False, check_utf8=False),
    )


def _ragged_rows_error(names: list[str], bad_widths: list[int]) -> InvalidTable:
    return InvalidTable(
        f"The rows must have as many cells as the first line has names, {len(names)}. "
        f"Got {len(bad_widths):,} or more rows that do not, the first with {bad_widths[0]}."
    )


def _check_quotes_close(text: bytes, start: int, records: int) -> None:
    """Refuse a quotation mark that is never closed: it swallows the lines after it into one cell."""
    # An odd quote alone is fine (5" pipe); more lines than records show that lines were swallowed.
    if text.count(b'"', start) % 2 and sum(1 for _ in _LINE.finditer(text, start)) > records:
        raise InvalidTable(
            'A quotation mark (") is opened and never closed, so that whole lines end up in one cell. '
            "Close it, or take it out."
        )
