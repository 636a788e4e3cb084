"""Read Parquet: columns of numbers, dates, yes or no, and text, in small batches; metadata of pandas is ignored."""

from __future__ import annotations

import re
from collections import Counter

import pyarrow as pa
from pyarrow import parquet

from xai_core.errors import InvalidTable
from xai_core.tabular.reading.cells import Cells, check_column_names, max_rows
from xai_core.tabular.reading.column_types import is_readable, is_text
from xai_core.tabular.reading.row_sample import RowSample

MAGIC = b"PAR1"
MAX_UNPACKED_BYTES = 2 << 30
MAX_UNPACKED_CELLS = 200_000_000
BATCH_CELLS = 1_000_000
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(data: bytes) -> Cells:
    """Return the typed columns of a Parquet file.

    Raises:
        InvalidTable: a file that is broken, too large once unpacked, or without two usable columns.
    """
    try:
        return _read(data)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InvalidTable(
            "This Parquet file is damaged or of a kind that cannot be read. Save the table again, or as CSV (UTF-8)."
        ) from error


def _read(data: bytes) -> Cells:
    source = pa.BufferReader(data)
    file = parquet.ParquetFile(source, thrift_string_size_limit=1 << 26, thrift_container_size_limit=1 << 20)
    _check_unpacked_size(file.metadata)
    fields = [field for field in file.schema_arrow if not _PANDAS_INDEX.fullmatch(field.name)]
    usable = [field for field in fields if is_readable(field.type)]
    # A column is read by its name, which must be its own.
    equal = [name for name, count in Counter(field.name for field in fields).items() if count > 1]
    if equal:
        raise InvalidTable(f"Each column needs a name of its own. More than one column is called {equal[0][:40]!r}.")
    check_column_names([field.name for field in fields])
    if len(usable) < 2:
        raise InvalidTable("A table needs two columns or more of numbers, dates, yes or no, or text.")
    names, notes = check_column_names([field.name for field in usable])
    unusable = [f"{field.name[:60]!r} ({str(field.type)[:40]})" for field in fields if field not in usable]
    if unusable:
        notes.append(f"Left out, because their cells are neither numbers, dates nor text: {', '.join(unusable[:5])}.")
    table, rows = _read_rows(source, usable)
    return Cells(table.rename_columns(names), rows, tuple(notes))


def _check_unpacked_size(meta: parquet.FileMetaData) -> None:
    """Refuse a large table by its metadata, before unpacking: a small file can hold a billion equal cells."""
    size = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
    if size > MAX_UNPACKED_BYTES or meta.num_rows * meta.num_columns > MAX_UNPACKED_CELLS:
        raise InvalidTable(
            f"Unpacked this table is too large: at most {MAX_UNPACKED_CELLS:,} cells and 2 GB can be read. "
            f"Got {meta.num_rows:,} rows."
        )
    if not meta.num_rows:
        raise InvalidTable("There are names of columns but no rows below them.")


def _read_rows(source: pa.BufferReader, usable: list[pa.Field]) -> tuple[pa.Table, int]:
    """Return the rows, or a sample of them, and how many the file has."""
    names = [field.name for field in usable]
    # Texts stay dictionary encoded: a repeated long text is then held once.
    file = parquet.ParquetFile(source, read_dictionary=[field.name for field in usable if is_text(field.type)])
    sample = RowSample(max_rows(len(names)))
    schema = None
    for batch in file.iter_batches(max(BATCH_CELLS // len(names), 1), columns=names, use_threads=False):
        schema = batch.select(names).schema
        sample.add(batch.select(names))
    if schema is None:
        raise InvalidTable("There are names of columns but no rows below them.")
    return sample.to_table(schema), sample.row_count
