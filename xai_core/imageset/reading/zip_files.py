"""Files of an untrusted zip: the directory is checked before anything is unpacked; no name from inside is written to.

Bombs as in Fifield, "A better zip bomb" (WOOT 2019): members that overlap, or that unpack to more than they say.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from xai_core.errors import InvalidImage, InvalidSet
from xai_core.imageset.image_set import GONE
from xai_core.imageset.reading.file_roles import (
    MAX_BYTES,
    MAX_FILES,
    MAX_NAME,
    TOO_HEAVY,
    TOO_LONG,
    is_litter,
    is_read,
    not_now,
)
from xai_core.imageset.reading.zip_names import read_names

MEMBER = np.dtype([("offset", "<i8"), ("packed", "<i8"), ("size", "<i8"), ("crc", "<u4"), ("method", "<u2")])
# Bytes of a member's own header before its name.
_HEAD = 30
_MAX_DIRECTORY = 256 * 2**20
_RATIO = 100
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENTRY = b"PK\x01\x02"
_DRIVE = re.compile(r"[A-Za-z]:/")

_NO_ZIP = "This file is not a zip, or it is damaged or cut off. Pack the pictures into a .zip file and try again."
_TOO_MANY = f"A zip may hold {MAX_FILES:,} files. This one holds more: split it, or leave some out."
_BOMB = (
    "This zip is built to unpack to far more than it says, so it is not read. "
    "Pack the pictures again with an ordinary program."
)
_ENCRYPTED = "This zip is locked with a password. Pack the pictures again without one."
_LINK = "This zip holds a link to another file ({name!r}), so it is not read. Pack the pictures themselves."
_OUTSIDE = (
    "This zip holds a file with a place outside of it in its name ({name!r}), so it is not read. "
    "Pack the pictures again."
)
_METHOD = "This file is packed in a way that cannot be read here. Pack it again as an ordinary zip (deflate)."
_TWICE = "There is another file of this name before it."
_NAMELESS = "This file has no name. Give it one, and pack it again."
_DAMAGED = "This file is damaged inside the zip. Pack it again."


class ZipFiles:
    """Members of a zip by row. Each read opens the file anew, so that threads share nothing."""

    def __init__(
        self,
        path: Path,
        names: Sequence[str],
        members: npt.NDArray[np.void],
        skipped: Sequence[tuple[str, str]] = (),
        notes: tuple[str, ...] = (),
    ) -> None:
        self._path = path
        self.names = names
        self._members = members
        self.skipped_files = skipped
        self.notes = notes

    def read(self, row: int) -> bytes:
        offset, packed, size, crc, method = self._members[row].tolist()
        try:
            with self._path.open("rb") as stream:
                data = _read_member(stream, offset, packed)
        except FileNotFoundError as error:
            raise InvalidSet(GONE) from error
        except OSError as error:
            raise not_now(error) from error
        data = _unpack(data, size, method)
        if len(data) != size or zlib.crc32(data) != crc:
            raise InvalidImage(_DAMAGED)
        return data

    def take(self, rows: npt.NDArray[np.intp]) -> ZipFiles:
        return ZipFiles(self._path, [self.names[row] for row in rows], self._members[rows])

    def index_arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        return {"members": self._members}


def list_zip(stream: IO[bytes], path: Path, free: int) -> ZipFiles:
    """List the members of an open zip, to be read from `path`.

    Nothing small may unpack to more than `free`, the bytes free on the disk. Raises InvalidSet for what is no zip, is
    locked, names places outside of itself, holds links or too many files, or is a bomb.
    """
    with _zip_errors():
        entries = zipfile.ZipFile(_Directory(stream)).infolist()
        end = stream.seek(0, io.SEEK_END)
        rows = [
            (entry.header_offset, entry.compress_size, entry.file_size, entry.CRC, entry.compress_type)
            for entry in entries
        ]
        # OverflowError where 64 bits without a sign are used.
        members = np.array(rows, dtype=MEMBER)
    if len(entries) > MAX_FILES:
        raise InvalidSet(_TOO_MANY)
    _refuse_overlaps(members)
    names, notes = read_names(entries)
    for entry, name in zip(entries, names, strict=True):
        _check_member(entry, name)
    readable, skipped = _select_readable(entries, names, end)
    if sum(entries[row].file_size for row in readable if is_read(names[row])) > max(free, _RATIO * end):
        raise InvalidSet(_BOMB)
    readable_names, readable_members = [names[row] for row in readable], members[np.array(readable, dtype=np.intp)]
    return ZipFiles(path, readable_names, readable_members, skipped, notes)


def reopen_zip(path: Path, names: Sequence[str], members: npt.NDArray[np.void] | None) -> ZipFiles | None:
    """Return the files of a zip that was listed before, or None if its copy is cut off or gone."""
    if members is None or members.dtype != MEMBER or members.shape != (len(names),):
        return None
    needed = int((members["offset"] + _HEAD + members["packed"]).max(initial=0))
    try:
        whole = path.stat().st_size >= needed > 0
    except OSError:
        return None
    return ZipFiles(path, names, members) if whole else None


class _Directory:
    """An open zip for Python's zipfile, which reads the list of members in one piece: its size is checked first."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > _MAX_DIRECTORY:
            raise InvalidSet(_TOO_MANY)
        data = self._stream.read(size)
        # Count the entries before zipfile builds an object for each.
        if data.count(_ENTRY) > MAX_FILES:
            raise InvalidSet(_TOO_MANY)
        return data


@contextmanager
def _zip_errors() -> Iterator[None]:
    """Turn everything that zipfile raises into one sentence."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        OSError,
        ValueError,
        OverflowError,
        EOFError,
        IndexError,
        struct.error,
    ) as error:
        raise InvalidSet(_NO_ZIP) from error


def _check_member(entry: zipfile.ZipInfo, name: str) -> None:
    """Raise InvalidSet for a place outside, a link, a locked file."""
    path = name.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path) or ".." in path.split("/"):
        raise InvalidSet(_OUTSIDE.format(name=name[:80]))
    # The upper half of the attributes holds the Unix mode.
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise InvalidSet(_LINK.format(name=name[:80]))
    if entry.flag_bits & 1:
        raise InvalidSet(_ENCRYPTED)


def _refuse_overlaps(members: npt.NDArray[np.void]) -> None:
    """Raise InvalidSet where members share bytes: only a bomb does."""
    order = members[np.argsort(members["offset"], kind="stable")]
    if (order["offset"][:-1] + _HEAD + order["packed"][:-1] > order["offset"][1:]).any():
        raise InvalidSet(_BOMB)


def _select_readable(
    entries: Sequence[zipfile.ZipInfo], names: Sequence[str], end: int
) -> tuple[list[int], list[tuple[str, str]]]:
    """Return rows of the files to read, and name and reason of those that should be read but cannot."""
    rows, skipped, earlier = [], [], set()
    for row, (entry, name) in enumerate(zip(entries, names, strict=True)):
        if name.endswith("/") or is_litter(name):
            continue
        if not name:
            skipped += [("", _NAMELESS)] if entry.file_size else []
            continue
        reason = _refusal(entry, name, name in earlier, end)
        earlier.add(name)
        if reason:
            skipped.append((name[-MAX_NAME:], reason))
        else:
            rows.append(row)
    return rows, skipped


def _refusal(entry: zipfile.ZipInfo, name: str, repeated: bool, end: int) -> str:
    """Return the reason not to read a member, or "". Raises InvalidSet for a bomb."""
    if len(name) > MAX_NAME:
        return TOO_LONG
    if not is_read(name):
        return ""
    if repeated:
        return _TWICE
    if entry.file_size > MAX_BYTES:
        if entry.file_size > _RATIO * max(entry.compress_size, 1):
            raise InvalidSet(_BOMB)
        return TOO_HEAVY
    if entry.compress_type not in _METHODS:
        return _METHOD
    if (
        entry.header_offset < 0
        or entry.header_offset + _HEAD + entry.compress_size > end
        or entry.compress_size > 2 * MAX_BYTES
    ):
        return _DAMAGED
    return ""


def _read_member(stream: IO[bytes], offset: int, packed: int) -> bytes:
    stream.seek(offset)
    head = stream.read(_HEAD)
    if len(head) < _HEAD or head[:4] != b"PK\x03\x04":
        raise InvalidImage(_DAMAGED)
    # Skip the name and the extra field, whose lengths end the header.
    stream.seek(sum(struct.unpack("<HH", head[26:])), io.SEEK_CUR)
    return stream.read(packed)


def _unpack(data: bytes, size: int, method: int) -> bytes:
    """Return at most `size` bytes. Raises InvalidSet where there would be more than the member says."""
    if method == zipfile.ZIP_DEFLATED:
        try:
            # One byte more than stated is enough to notice a bomb.
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)
        except zlib.error as error:
            raise InvalidImage(_DAMAGED) from error
    if len(data) > size:
        raise InvalidSet(_BOMB)
    return data
