"""Read a CSV, Excel or Parquet file into typed columns; what is wrong with a file is told in a sentence."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from xai_core.errors import InvalidTable
from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.reading.cells import Cells, tidy_name
from xai_core.tabular.reading.csv_file import read_csv
from xai_core.tabular.reading.parquet_file import MAGIC, read_parquet
from xai_core.tabular.reading.protected_file import PROTECTED, is_protected
from xai_core.tabular.reading.table_columns import infer_table
from xai_core.tabular.reading.xlsx_file import is_workbook, read_xlsx
from xai_core.text_decoding import ENCODINGS as ENCODINGS

MAX_BYTES = 200 * 1024 * 1024
GZIP = b"\x1f\x8b"

Source = str | Path | bytes | IO[bytes]


def read_table(source: Source, name: str = "", *, encoding: str | None = None) -> RawTable:
    """Read a CSV, Excel or Parquet file by its path, its bytes, or open; of over 2 million cells a sample is taken.

    `encoding` is that of a CSV file, one of ENCODINGS or another name of it; by default its letters tell it.

    Raises:
        InvalidTable: the file cannot be used, with what is wrong and what to do.

    >>> raw = read_table(b"size,colour\\n1.5,red\\n2,blue\\n")
    >>> [(column.name, column.kind) for column in raw.columns]
    [('size', 'numeric'), ('colour', 'category')]
    """
    data = _read_bytes(source)
    cells = _read_cells(data, encoding)
    table = infer_table(cells, _table_name(source, name), hashlib.sha256(data).hexdigest())
    return replace(table, encoding=cells.encoding, encoding_is_sure=cells.encoding_is_sure)


def _read_cells(data: bytes, encoding: str | None) -> Cells:
    """Return the cells of a file; its first bytes tell its format, whatever its name ends with."""
    if data.startswith(MAGIC):
        return read_parquet(data)
    if is_protected(data):
        raise InvalidTable(PROTECTED)
    return read_xlsx(data) if is_workbook(data) else read_csv(_unpack(data), encoding)


def _unpack(data: bytes) -> bytes:
    """Return the text of a file that gzip packed; any other file as it is.

    Raises:
        InvalidTable: it is damaged, or too large once it is unpacked.
    """
    if not data.startswith(GZIP):
        return data
    try:
        with gzip.open(io.BytesIO(data)) as file:
            return _check_size(file.read(MAX_BYTES + 1))
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidTable("This packed file (gzip) is damaged. Unpack it, and try again with the table.") from error


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
            f"This file is larger than {MAX_BYTES // 1024**2} MB, which is the most allowed for a table. Leave out "
            "rows or columns, or save it as Parquet."
        )
    if not data:
        raise InvalidTable("This file is empty. A table needs a first line with names, and rows below it.")
    return data


def _table_name(source: Source, name: str) -> str:
    given: Any = name or (source if isinstance(source, str | Path) else getattr(source, "name", ""))
    return tidy_name(Path(str(given)).name)[:80] or "table"
