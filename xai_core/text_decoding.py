"""Convert the bytes of text files to UTF-8; they may be UTF-8, UTF-16 or Windows-1252."""

from __future__ import annotations

import codecs
import io
import re

from xai_core.errors import InvalidTable

CHUNK_BYTES = 1 << 20
BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# First bytes of files that are often mistaken for tables of text.
BINARY_FORMATS = {
    b"PK\x03\x04": "an Excel or zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"\x1f\x8b": "a packed file (gzip)",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"SQLite format": "a database",
    b"\x89HDF": "an HDF5 file",
    b"ARROW1": "a Feather file",
    b"\x80\x04\x95": "a pickle",
}
_SEPARATOR_LINE = re.compile(r"(?i)sep=([,;\t])\r?\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def convert_table_to_utf8(data: bytes) -> bytes:
    """Return the text of a table in UTF-8 without a byte order mark.

    Raises:
        InvalidTable: a binary file, or bytes that are no text.
    """
    for start, kind in BINARY_FORMATS.items():
        if data.startswith(start):
            raise InvalidTable(
                f"This is {kind}, not a table of text. Save the table as CSV (UTF-8) or Parquet and try again."
            )
    text = convert_to_utf8(data)
    if _CONTROL.search(text):
        raise _not_text_error()
    return text


def convert_to_utf8(data: bytes) -> bytes:
    """Return what spreadsheets save as text in UTF-8 without a byte order mark.

    Raises:
        InvalidTable: bytes that are no text.
    """
    encoding, mark_bytes = _guess_encoding(data)
    body = memoryview(data)[mark_bytes:]
    if encoding == "utf-8" and not _is_utf8(body):
        encoding = "windows-1252"
    return bytes(body) if encoding == "utf-8" else _recode(body, encoding)


def find_separator_line(text: str) -> tuple[str | None, int]:
    """Return the separator of a first line such as "sep=;" (Excel's) and the start of the text after it, or None and 0.

    >>> find_separator_line("sep=;\\na;b")
    (';', 6)
    """
    line = _SEPARATOR_LINE.match(text)
    return (line[1], line.end()) if line else (None, 0)


def _guess_encoding(data: bytes) -> tuple[str, int]:
    """Return the encoding by the first bytes, and the length of their byte order mark."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding, len(mark)
    # Of western text in UTF-16 every other byte is zero.
    even, odd = data[0:1000:2], data[1:1000:2]
    if odd.count(0) > 0.4 * len(odd) and not even.count(0):
        return "utf-16-le", 0
    if even.count(0) > 0.4 * len(even) and not odd.count(0):
        return "utf-16-be", 0
    return "utf-8", 0


def _is_utf8(data: memoryview) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), CHUNK_BYTES):
            decoder.decode(data[start : start + CHUNK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _recode(data: memoryview, encoding: str) -> bytes:
    decoder = codecs.getincrementaldecoder(encoding)()
    out = io.BytesIO()
    try:
        # In chunks: as one str the text would need up to four times its memory.
        for start in range(0, len(data), CHUNK_BYTES):
            out.write(decoder.decode(data[start : start + CHUNK_BYTES]).encode())
        out.write(decoder.decode(b"", final=True).encode())
    except UnicodeError as error:
        raise _not_text_error() from error
    return out.getvalue()


def _not_text_error() -> InvalidTable:
    return InvalidTable(
        "This cannot be read as text: it is neither UTF-8, UTF-16 nor Windows-1252. "
        "Save the table as CSV (UTF-8) or Parquet and try again."
    )
