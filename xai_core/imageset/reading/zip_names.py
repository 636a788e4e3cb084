"""Names of the files of a zip, which come in the encoding and with the separators of the system that packed it."""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress

from xai_core.formatting import printable
from xai_core.text_decoding import ENCODINGS, decode_names

# The flag of a member whose name is in UTF-8.
_UTF8 = 0x800
# Info-ZIP's extra field with the name in UTF-8: version, CRC of the other name, name (APPNOTE 4.6.9).
_UNICODE_PATH = 0x7075
# Systems whose folders are parted by a backslash: FAT, OS/2, NTFS, VFAT.
_BACKSLASH_SYSTEMS = frozenset({0, 6, 10, 11, 14})
# Encodings in which the second byte of a letter may be that of a backslash.
_LETTERS_WITH_BACKSLASH = ("cp932", "gb18030", "big5", "cp949")
_INNER_BACKSLASH = re.compile(rb"[\x80-\xff]\\")


def read_names(entries: Sequence[zipfile.ZipInfo]) -> tuple[list[str], tuple[str, ...]]:
    """Return the printable names of the members, with "/" between folders, and notes.

    Names without a mark for UTF-8 are read in the encoding that makes words of them all. A backslash parts folders only
    where no name has a slash, and a system that does so packed the zip. Names that two different ones become are
    numbered; those that are the same in the zip stay the same.
    """
    raw = [_raw_name(entry) for entry in entries]
    names = [_marked_name(entry, data) for entry, data in zip(entries, raw, strict=True)]
    unmarked = [row for row, name in enumerate(names) if name is None]
    texts, encoding, is_sure = _decode([raw[row] for row in unmarked])
    notes = []
    if encoding != "utf-8":
        example = next(text for row, text in zip(unmarked, texts, strict=True) if not raw[row].isascii())
        guess = "" if is_sure else " This is a guess: look at the names, and pack the zip anew if they are wrong."
        notes.append(
            "The zip does not say how the names of its files are written. They were read as "
            f"{ENCODINGS[encoding]}, for example “{printable(example, 60)}”.{guess}"
        )
    decoded = iter(texts)
    full = [next(decoded) if name is None else name for name in names]
    is_known = is_sure or encoding in _LETTERS_WITH_BACKSLASH or not any(map(_INNER_BACKSLASH.search, raw))
    if is_known and _parts_by_backslash(entries, full):
        full = [name.replace("\\", "/") for name in full]
    return _number_equal([_tidy(name) for name in full], raw), tuple(notes)


def _decode(raw: Sequence[bytes]) -> tuple[list[str], str, bool]:
    """Decode names; where it is a guess, take no byte of a letter for a backslash."""
    texts, encoding, is_sure = decode_names(raw)
    if not is_sure and any(map(_INNER_BACKSLASH.search, raw)) and any("\\" in text for text in texts):
        for rival in _LETTERS_WITH_BACKSLASH:
            with suppress(UnicodeDecodeError):
                rival_texts = [name.decode(rival) for name in raw]
                if not any("\\" in text for text in rival_texts):
                    return rival_texts, rival, False
    return texts, encoding, is_sure


def _raw_name(entry: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a name; zipfile decodes those without the mark by cp437, where every byte is a letter."""
    name = entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8 else "cp437")
    return name.partition(b"\0")[0]


def _marked_name(entry: zipfile.ZipInfo, raw: bytes) -> str | None:
    """Return a name that is said to be in UTF-8, by the flag or by the extra field, else None."""
    if entry.flag_bits & _UTF8:
        return raw.decode("utf-8")
    for kind, data in _iter_extra(entry.extra):
        # A field of another name was left by a program that renamed the file.
        if kind == _UNICODE_PATH and data[:1] == b"\1" and data[1:5] == struct.pack("<I", zlib.crc32(raw)):
            try:
                return data[5:].decode("utf-8").partition("\0")[0]
            except UnicodeDecodeError:
                return None
    return None


def _parts_by_backslash(entries: Sequence[zipfile.ZipInfo], names: Sequence[str]) -> bool:
    """Say if the backslash parts folders; a program that claims to be of Unix must have written it in all names."""
    if any("/" in name for name in names):
        return False
    if {entry.create_system for entry in entries} <= _BACKSLASH_SYSTEMS:
        return True
    return len(names) > 1 and all("\\" in name for name in names)


def _iter_extra(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and data of each extra field (APPNOTE 4.5)."""
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        yield kind, extra[4 : 4 + size]
        extra = extra[4 + size :]


def _tidy(name: str) -> str:
    """Return a name as one line, letters with accents as one sign, without empty folders; a folder keeps its slash."""
    line = printable(unicodedata.normalize("NFC", name), replacement="\N{REPLACEMENT CHARACTER}")
    parts = line.split("/")
    inner = [part for part in parts[1:-1] if part not in ("", ".")]
    return "/".join([*([] if parts[0] == "." and parts[1:] else parts[:1]), *inner, *parts[1:][-1:]])


def _number_equal(names: Sequence[str], raw: Sequence[bytes]) -> list[str]:
    """Number names that are equal though their bytes are not: "a.png", "a (2).png"."""
    owners: dict[str, bytes] = {}
    counts: dict[str, int] = {}
    numbered = []
    for name, data in zip(names, raw, strict=True):
        fresh = name
        while owners.setdefault(fresh, data) != data:
            count = counts[name] = counts.get(name, 1) + 1
            folder, slash, file = name.rpartition("/")
            stem, dot, ending = file.rpartition(".")
            fresh = f"{folder}{slash}{stem} ({count}){dot}{ending}" if stem else f"{name} ({count})"
        numbered.append(fresh)
    return numbered
