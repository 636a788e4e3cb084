"""Parquet: the columns that are numbers, dates, yes or no, or text, read in small batches. Metadata of pandas is not looked at."""

from __future__ import annotations

import re

import pyarrow as pa
from pyarrow import parquet

from xai_core.errors import InvalidTable
from xai_core.tabular.reading.cells import Cells, column_names, rows_to_keep
from xai_core.tabular.reading.column_types import can_read, is_text
from xai_core.tabular.reading.row_sample import RowSample

MAGIC = b"PAR1"
_UNPACKED_BYTES = 2 << 30
_UNPACKED_CELLS = 200_000_000
_BATCH_CELLS = 1_000_000
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(data: bytes) -> Cells:
    """The typed columns. Raises InvalidTable for a file that is broken, too large once unpacked, or without two usable columns."""
    try:
        return _read(data)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InvalidTable(
            "This Parquet file is damaged or of a kind that cannot be read. Save the table again, or as CSV (UTF-8)."
        ) from error


def _read(data: bytes) -> Cells:
    source = pa.BufferReader(data)
    file = parquet.ParquetFile(source, thrift_string_size_limit=1 << 26, thrift_container_size_limit=1 << 20)
    _refuse_too_large(file.metadata)
    fields = [field for field in file.schema_arrow if not _PANDAS_INDEX.fullmatch(field.name)]
    usable = [field for field in fields if can_read(field.type)]
    column_names([field.name for field in fields])  # refuses what two columns share
    if len(usable) < 2:
        raise InvalidTable("A table needs two columns or more of numbers, dates, yes or no, or text.")
    names, notes = column_names([field.name for field in usable])
    other = [f"{field.name[:60]!r} ({str(field.type)[:40]})" for field in fields if field not in usable]
    if other:
        notes.append(f"Left out, because their cells are neither numbers, dates nor text: {', '.join(other[:5])}.")
    table, rows = _rows(source, usable)
    return Cells(table.rename_columns(names), rows, tuple(notes))


def _refuse_too_large(meta: parquet.FileMetaData) -> None:
    """What the file says of itself, before anything is unpacked: a small file can hold a billion equal cells."""
    size = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
    if size > _UNPACKED_BYTES or meta.num_rows * meta.num_columns > _UNPACKED_CELLS:
        raise InvalidTable(
            f"Unpacked this table is too large: at most {_UNPACKED_CELLS:,} cells and 2 GB can be read. Got {meta.num_rows:,} rows."
        )
    if not meta.num_rows:
        raise InvalidTable("There are names of columns but no rows below them.")


def _rows(source: pa.BufferReader, usable: list[pa.Field]) -> tuple[pa.Table, int]:
    names = [field.name for field in usable]
    file = parquet.ParquetFile(source, read_dictionary=[field.name for field in usable if is_text(field.type)])
    sample = RowSample(rows_to_keep(len(names)))
    schema = None
    for batch in file.iter_batches(max(_BATCH_CELLS // len(names), 1), columns=names, use_threads=False):
        schema = batch.select(names).schema
        sample.add(batch.select(names))
    if schema is None:
        raise InvalidTable("There are names of columns but no rows below them.")
    return sample.table(schema), sample.seen
