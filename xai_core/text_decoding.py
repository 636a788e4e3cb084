"""Bytes to text: UTF-8, UTF-16 or Windows-1252, and words for what is no text at all."""

from __future__ import annotations

import codecs
import io
import re

from xai_core.errors import InvalidTable

_CHUNK = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_OTHER_FILES = {
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
_NAMED_MARK = re.compile(r"(?i)sep=([,;\t])\r?\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def convert_table_to_utf8(data: bytes) -> bytes:
    """The same text in UTF-8 without a byte order mark. Raises InvalidTable for what is no text."""
    for start, kind in _OTHER_FILES.items():
        if data.startswith(start):
            raise InvalidTable(
                f"This is {kind}, not a table of text. Save the table as CSV (UTF-8) or Parquet and try again."
            )
    text = convert_to_utf8(data)
    if _CONTROL.search(text):
        raise _unreadable()
    return text


def convert_to_utf8(data: bytes) -> bytes:
    """What spreadsheets save as text, in UTF-8 without a byte order mark. Raises InvalidTable."""
    encoding, mark = _encoding(data)
    body = memoryview(data)[mark:]
    if encoding == "utf-8" and not _is_utf8(body):
        encoding = "windows-1252"
    return bytes(body) if encoding == "utf-8" else _recoded(body, encoding)


def find_separator_line(text: str) -> tuple[str | None, int]:
    """The mark between cells that a first line such as "sep=;" names, Excel's way, and where the text goes on; None and 0 without one."""
    named = _NAMED_MARK.match(text)
    return (named[1], named.end()) if named else (None, 0)


def _encoding(data: bytes) -> tuple[str, int]:
    """The encoding that the first bytes tell, and the length of their mark. Of western text in UTF-16 every other byte is zero."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding, len(bom)
    even, odd = data[0:1000:2], data[1:1000:2]
    if odd.count(0) > 0.4 * len(odd) and not even.count(0):
        return "utf-16-le", 0
    if even.count(0) > 0.4 * len(even) and not odd.count(0):
        return "utf-16-be", 0
    return "utf-8", 0


def _is_utf8(data: memoryview) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _recoded(data: memoryview, encoding: str) -> bytes:
    decoder = codecs.getincrementaldecoder(encoding)()
    out = io.BytesIO()
    try:
        for start in range(0, len(data), _CHUNK):
            out.write(decoder.decode(data[start : start + _CHUNK]).encode())
        out.write(decoder.decode(b"", final=True).encode())
    except UnicodeError as error:
        raise _unreadable() from error
    return out.getvalue()


def _unreadable() -> InvalidTable:
    return InvalidTable(
        "This cannot be read as text: it is neither UTF-8, UTF-16 nor Windows-1252. Save the table as CSV (UTF-8) or Parquet and try again."
    )
