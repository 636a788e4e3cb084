"""Convert the bytes of text files to UTF-8, whatever encoding they are in, and decode the names of files."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from xai_core.errors import InvalidTable
from xai_core.text_decoding.alphabets import ENCODINGS
from xai_core.text_decoding.guess import Guess, collect_words, guess_encoding

CHUNK_BYTES = 1 << 20
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose mark is the beginning of it.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
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
# Share of words in UTF-8 from which a text with broken ones is still UTF-8.
MIN_UTF8_SHARE = 0.8
# Of more letters than this share that cannot be read, a text is in another encoding or is none.
MAX_LOST_SHARE = 0.02
# Likeliest encodings that are tried on the whole text.
MAX_TRIES = 4
_SEPARATOR_LINE = re.compile(r"(?i)\"?sep=([,;\t|:^~])\"?(?:\r\n|\r|\n)")
_CONTROLS = bytes((*range(0x09), *range(0x0E, 0x20)))
# DOS marks the end of a text by this byte.
_DOS_END = b"\x1a"
_JIS_ESCAPES = (b"\x1b$B", b"\x1b$@", b"\x1b(J")
# Programs that write zips without a mark for their names use the encodings of DOS as often as those of Windows.
_NAME_PENALTIES = {"cp437": -5.0, "cp850": -5.0, "cp866": -2.0, "cp852": -3.0}


@dataclass(frozen=True)
class DecodedText:
    """A text in UTF-8 without a byte order mark, and how it was read."""

    utf8: bytes
    encoding: str
    """Python's name, one of ENCODINGS."""
    is_sure: bool
    """False where another encoding gives other letters that are as likely, or some letters could not be read."""
    lost_letters: int = 0
    """Letters that could not be read and became U+FFFD."""


def decode_table(data: bytes, encoding: str | None = None) -> DecodedText:
    """Return the text of a table.

    Raises:
        InvalidTable: a binary file, bytes that are no text, or an encoding that is not among ENCODINGS.
    """
    for start, kind in BINARY_FORMATS.items():
        if data.startswith(start):
            raise InvalidTable(
                f"This is {kind}, not a table of text. Save the table as CSV (UTF-8) or Parquet and try again."
            )
    text = decode_text(data.removesuffix(_DOS_END), encoding)
    chunks = (text.utf8[start : start + CHUNK_BYTES] for start in range(0, len(text.utf8), CHUNK_BYTES))
    # Three times as fast as a search by a regular expression.
    if any(len(chunk.translate(None, _CONTROLS)) < len(chunk) for chunk in chunks):
        raise _not_text_error()
    return text


def decode_text(data: bytes, encoding: str | None = None) -> DecodedText:
    """Return a text in the encoding given, or in the one that its bytes or its words show.

    Raises:
        InvalidTable: bytes that are no text, or an encoding that is not among ENCODINGS.
    """
    mark, mark_bytes = _find_mark(data)
    body = memoryview(data)[mark_bytes:]
    if encoding is not None:
        name = find_encoding(encoding)
        # Without a mark the lower byte comes first, as Windows writes it.
        codec = mark if mark.startswith(name) else f"{name}-le" if name in ("utf-16", "utf-32") else name
        text = _recode(body, codec, is_sure=True)
        if _is_readable(text):
            return text
        raise InvalidTable(f"This cannot be read as {ENCODINGS[name]}: many of its bytes are no letters there.")
    if mark:
        return _decode(body, mark)
    if data.isascii():
        has_escapes = b"\x1b" in data and any(escape in data for escape in _JIS_ESCAPES)
        return _decode(body, "iso-2022-jp") if has_escapes else DecodedText(data, "utf-8", is_sure=True)
    if _is_utf8(body):
        return DecodedText(bytes(body), "utf-8", is_sure=True)
    return _decode_by_words(body)


def convert_to_utf8(data: bytes) -> bytes:
    """Return what spreadsheets save as text in UTF-8 without a byte order mark.

    Raises:
        InvalidTable: bytes that are no text.
    """
    return decode_text(data).utf8


def decode_names(names: Sequence[bytes]) -> tuple[list[str], str, bool]:
    """Return names of files that one program wrote, their encoding, and whether it is sure.

    UTF-8 if all are valid in it, else the encoding that makes words of them. A byte 0x5c that is part of a letter is
    none of the backslashes in the result.

    >>> decode_names(["写真/表.jpg".encode("cp932")])[:2]
    (['写真/表.jpg'], 'cp932')
    """
    if all(map(_is_utf8, names)):
        return [name.decode() for name in names], "utf-8", True
    guess = guess_encoding(collect_words(b"/".join(names)), _NAME_PENALTIES)[0]
    return [_decode_name(name, guess.encoding) for name in names], guess.encoding, guess.is_sure


def find_encoding(name: str) -> str:
    """Return the entry of ENCODINGS that a name stands for, such as "cp1251" for "windows-1251".

    Raises:
        InvalidTable: there is none.
    """
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        codec = ""
    for known in ENCODINGS:
        if codecs.lookup(known).name == codec:
            return known
    raise InvalidTable(f"The encoding {name[:40]!r} is not known. Choose one of {', '.join(ENCODINGS)}.")


def find_separator_line(text: str) -> tuple[str | None, int]:
    """Return the separator of a first line such as "sep=;" (Excel's) and the start of the text after it, or None and 0.

    >>> find_separator_line("sep=;\\na;b")
    (';', 6)
    """
    line = _SEPARATOR_LINE.match(text)
    return (line[1], line.end()) if line else (None, 0)


def _find_mark(data: bytes) -> tuple[str, int]:
    """Return the encoding that the first bytes show, or "", and the length of their byte order mark."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding, len(mark)
    # In UTF-16 digits and commas have a zero before or after them, whatever the letters.
    even, odd = data[0:2000:2], data[1:2000:2]
    for encoding, zeros, rest in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        # Some letters have a zero on the other side, such as the Korean syllable 가.
        if zeros.count(0) > max(0.1 * len(zeros), 4 * rest.count(0)):
            return encoding, 0
    return "", 0


def _is_utf8(data: bytes | memoryview) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), CHUNK_BYTES):
            decoder.decode(data[start : start + CHUNK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _decode_by_words(data: memoryview) -> DecodedText:
    """Return the text in the likeliest encoding in which all of it, or nearly all, can be read."""
    words = collect_words(data)
    guesses = guess_encoding(words)[:MAX_TRIES]
    if sum(map(_is_utf8, words)) >= MIN_UTF8_SHARE * len(words):
        guesses.insert(0, Guess("utf-8", is_sure=False))
    for guess in guesses:
        text = _recode(data, guess.encoding, is_sure=guess.is_sure)
        if _is_readable(text):
            return text
    raise _not_text_error()


def _decode(data: memoryview, encoding: str) -> DecodedText:
    text = _recode(data, encoding, is_sure=True)
    if not _is_readable(text):
        raise _not_text_error()
    return text


def _is_readable(text: DecodedText) -> bool:
    # Each letter beyond ASCII has one byte from 0xC0 on.
    letters = len(text.utf8.translate(None, bytes(range(0xC0)))) if text.lost_letters else 0
    return text.lost_letters <= MAX_LOST_SHARE * letters


def _recode(data: memoryview, encoding: str, *, is_sure: bool) -> DecodedText:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    out, lost = io.BytesIO(), 0
    # In chunks: as one str the text would need up to four times its memory.
    for start in range(0, len(data) + 1, CHUNK_BYTES):
        chunk = decoder.decode(data[start : start + CHUNK_BYTES], final=start + CHUNK_BYTES > len(data))
        lost += chunk.count("\ufffd")
        # A high surrogate on its own in UTF-16 is no letter.
        out.write(chunk.encode("utf-8", "replace"))
    # Visitors know UTF-16 as one encoding.
    name = encoding.removesuffix("-le").removesuffix("-be")
    return DecodedText(out.getvalue(), name, is_sure and not lost, lost)


def _decode_name(name: bytes, encoding: str) -> str:
    try:
        return name.decode(encoding)
    except UnicodeDecodeError:
        # Every byte is a letter there, so no name is lost and no two become one.
        return name.decode("cp437")


def _not_text_error() -> InvalidTable:
    return InvalidTable(
        "This cannot be read as text: its bytes are letters in no encoding that is known. "
        "Save the table as CSV (UTF-8) or Parquet and try again."
    )
