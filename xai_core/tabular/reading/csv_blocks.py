"""Read the rows of a CSV text block by block with Arrow, count those that do not fit, and keep a sample."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from xai_core.errors import InvalidTable
from xai_core.tabular.reading.cells import max_rows
from xai_core.tabular.reading.dialect import Dialect
from xai_core.tabular.reading.row_sample import RowSample

# A row must fit into a block.
BLOCK_BYTES = 1 << 20
MAX_BAD_ROWS = 10_000
MAX_BAD_SHARE = 0.1
MAX_TEXT_LINES = 5
_LONG_ROW = (
    f'A row has more than {BLOCK_BYTES // 1024} kB. Perhaps a quotation mark (") is opened and never closed: '
    "close it, or take it out."
)
_LINE = re.compile(rb"[^\r\n]+")
_BLANKS = re.compile(rb'("[^"\r\n]*")|[ \t]+')
_EDGE_TABS = re.compile(rb"\t?([\r\n]+)\t?")
_NA = "NA"


@dataclass(frozen=True, eq=False)
class Blocks:
    """Rows of a CSV text as text, or a sample of them."""

    table: pa.Table
    row_count: int
    """Rows in the file that have a cell for each name."""
    notes: tuple[str, ...]
    quoted_na: frozenset[str]
    """Columns with an NA in quotation marks, which is a word and no missing value."""


def read_blocks(text: bytes, start: int, names: list[str], dialect: Dialect) -> Blocks:
    """Return the rows below the header, which begins at `start`.

    Raises:
        InvalidTable: no rows, too many of another length, one that is too long, or a quotation mark that is not closed.
    """
    if len(list(islice(_LINE.finditer(text, start), 2))) < 2:
        raise InvalidTable("There are names of columns but no rows below them.")
    body = _normalize(memoryview(text)[start:], dialect)
    bad_widths: list[int] = []

    def skip_row(row: arrow_csv.InvalidRow) -> str:
        bad_widths.append(row.actual_columns)
        return "skip" if len(bad_widths) <= MAX_BAD_ROWS else "error"

    sample = RowSample(max_rows(len(names)))
    schema = pa.schema([(name, pa.string()) for name in names])
    row_filter = _RowFilter(text, names, dialect)
    try:
        for batch in _open_reader(body, schema, dialect, skip_row, tells_na=row_filter.has_quoted_na):
            sample.add(row_filter.apply(batch))
    except pa.ArrowInvalid as error:
        # Arrow has one error for both: our handler's refusal and a row larger than a block.
        too_many = len(bad_widths) > MAX_BAD_ROWS
        raise _ragged_rows_error(names, bad_widths) if too_many else InvalidTable(_LONG_ROW) from error
    # The header is a record too.
    records = 1 + sample.row_count + len(bad_widths) + row_filter.empty_rows
    if dialect.quote == '"' and not dialect.escape:
        _check_quotes_close(text, start, records)
    # Lines of text below a table of three columns or more, such as its source, are no rows.
    text_lines = min(bad_widths.count(1), MAX_TEXT_LINES) if len(names) > 2 else 0
    if len(bad_widths) - text_lines > max(1, MAX_BAD_SHARE * (sample.row_count + len(bad_widths))):
        raise _ragged_rows_error(names, bad_widths)
    table = sample.to_table(schema)
    notes = _row_notes(len(bad_widths), row_filter.empty_rows, sample.row_count)
    return Blocks(table, sample.row_count, notes, frozenset(row_filter.quoted_na))


class _RowFilter:
    """Leaves out rows without any cell, and collects the columns with a quoted NA."""

    def __init__(self, text: bytes, names: list[str], dialect: Dialect) -> None:
        self.empty_rows = 0
        self.quoted_na: set[str] = set()
        self.has_quoted_na = f"{dialect.quote}{_NA}{dialect.quote}".encode() in text
        empty_rows = (dialect.delimiter.join([cell] * len(names)) for cell in ("", 2 * dialect.quote))
        self._may_be_empty = any(row.encode() in text for row in empty_rows)

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows that have a cell; NA without quotation marks comes as null and becomes text."""
        if self._may_be_empty:
            is_filled = [pc.fill_null(pc.greater(pc.binary_length(column), 0), True) for column in batch.columns]
            mask = reduce(pc.or_, is_filled)
            self.empty_rows += len(mask) - mask.true_count
            batch = batch.filter(mask) if mask.true_count < len(mask) else batch
        if self.has_quoted_na:
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            self.quoted_na |= {name for name, column in columns.items() if pc.any(pc.equal(column, _NA)).as_py()}
            batch = pa.RecordBatch.from_arrays([pc.fill_null(column, _NA) for column in batch.columns], list(columns))
        return batch


def _normalize(text: memoryview, dialect: Dialect) -> memoryview:
    """Return a text in which tabs take the place of runs of blanks, or no blank stands before a quotation mark."""
    if dialect.joins_blanks:
        tabs = _BLANKS.sub(lambda match: match[1] or b"\t", bytes(text).strip(b" \t"))
        return memoryview(_EDGE_TABS.sub(rb"\1", tabs))
    if dialect.drops_blanks:
        blanks = b" +" if dialect.delimiter == "\t" else b"[ \t]+"
        pattern = rb"([\r\n" + re.escape(dialect.delimiter.encode()) + b"])" + blanks + b'"'
        return memoryview(re.sub(pattern, rb'\1"', bytes(text)))
    return text


def _open_reader(
    text: memoryview, schema: pa.Schema, dialect: Dialect, skip_row: object, *, tells_na: bool
) -> arrow_csv.CSVStreamingReader:
    return arrow_csv.open_csv(
        pa.BufferReader(text),
        arrow_csv.ReadOptions(
            use_threads=False, block_size=BLOCK_BYTES, column_names=schema.names, skip_rows_after_names=1
        ),
        arrow_csv.ParseOptions(
            delimiter="\t" if dialect.joins_blanks else dialect.delimiter,
            quote_char=dialect.quote,
            escape_char=dialect.escape or False,
            double_quote=not dialect.escape,
            newlines_in_values=True,
            invalid_row_handler=skip_row,
        ),
        # The text was decoded here, so that it need not be checked again.
        arrow_csv.ConvertOptions(
            column_types=schema,
            null_values=[_NA],
            strings_can_be_null=tells_na,
            quoted_strings_can_be_null=False,
            check_utf8=False,
        ),
    )


def _row_notes(bad_rows: int, empty_rows: int, good_rows: int) -> tuple[str, ...]:
    notes = []
    if bad_rows:
        notes.append(f"{bad_rows:,} of {good_rows + bad_rows:,} rows had too many or too few cells and were left out.")
    if empty_rows:
        notes.append(f"{empty_rows:,} rows without any cell were left out.")
    return tuple(notes)


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
