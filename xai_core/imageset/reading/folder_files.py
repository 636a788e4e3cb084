"""A folder on the server: only below those that whoever runs it has opened, and nothing outside it by way of a link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core import settings
from xai_core.arrays import Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidImage, InvalidSet
from xai_core.imageset.image_set import GONE
from xai_core.imageset.reading.file_roles import (
    MAX_BYTES,
    MAX_FILES,
    MAX_NAME,
    TOO_HEAVY,
    TOO_LONG,
    Listing,
    is_read,
    not_now,
)

_TOO_MANY = f"A folder may hold {MAX_FILES:,} files. This one holds more: split it, or choose one of its sub-folders."
_CHANGED = "This file has changed, or is no longer there, since the folder was read. Read the folder again."
_LINK = "This is a link to a place outside the folder, which is not followed."
_NO_FILE = "This is no file, or a link that leads nowhere."
_NAME = "The name of this file cannot be shown. Rename it."
_CLOSED = "What is in this folder may not be read. Ask whoever runs Whybox to open it."
_NOT_ITS_FAULT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Of a process that has too much open: another time the file can be read."""


class FolderFiles:
    """Files below `root` by row, as they were when they were listed: size in bytes and time of change in ns, (K, 2)."""

    def __init__(self, root: Path, names: Sequence[str], stats: Int64) -> None:
        self._root = root
        self.names = names
        self._stats = stats

    def read(self, row: int) -> bytes:
        path = self._root / self.names[row]
        try:
            found = path.stat()
            same = stat.S_ISREG(found.st_mode) and [found.st_size, found.st_mtime_ns] == self._stats[row].tolist()
            if not same or not _inside(path, self._root):
                raise InvalidImage(_CHANGED)
            if found.st_size > MAX_BYTES:
                raise InvalidImage(TOO_HEAVY)
            with path.open("rb") as stream:
                return stream.read(MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in _NOT_ITS_FAULT:
                raise not_now(error) from error
            if not self._root.is_dir():
                raise InvalidSet(GONE) from error
            raise InvalidImage(_CHANGED) from error

    def take(self, rows: npt.NDArray[np.intp]) -> FolderFiles:
        return FolderFiles(self._root, [self.names[row] for row in rows], self._stats[rows])

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        return {"stats": self._stats}


def allowed_folder(path: str | os.PathLike[str]) -> Path:
    """The real place of a folder or file that may be read. Raises InvalidSet, in the same words whether it exists or not."""
    roots = settings.image_set_dirs()
    try:
        real = Path(os.path.realpath(path))
    except (OSError, ValueError, TypeError):
        real = None
    if real is None or not any(real.is_relative_to(root) for root in roots):
        opened = ", ".join(repr(str(root)) for root in roots) or "none yet"
        raise InvalidSet(
            "Only folders that whoever runs this server has opened for picture sets can be read "
            f"(setting WHYBOX_SETS: {opened}). Choose one of them, or upload a zip."
        )
    return real


def list_folder(root: Path, job: Job[Any] | None = None) -> Listing:
    """All files below a folder. Raises InvalidSet where it is none or holds too many."""
    if not root.is_dir():
        raise InvalidSet(f"There is no folder {root.name[:80]!r} here. Check its name.")
    names, stats, skipped = [], [], []
    closed: list[str] = []
    for path in _below(root, closed, job):
        name = path.relative_to(root).as_posix()
        if not name.isprintable():
            skipped.append((_shown(name[-MAX_NAME:]), _NAME))
        elif len(name) > MAX_NAME:
            skipped.append((name[-MAX_NAME:], TOO_LONG))
        elif path.is_symlink() and not _inside(path, root):  # folders that are links are not gone into
            skipped.append((name, _LINK))
        elif (found := _regular(path)) is not None:
            names.append(name)
            stats.append((found.st_size, found.st_mtime_ns))
        elif is_read(name):
            skipped.append((name, _NO_FILE))
        if len(names) + len(skipped) > MAX_FILES:
            raise InvalidSet(_TOO_MANY)
    skipped += [(_shown(Path(folder).relative_to(root).as_posix()[-MAX_NAME:]), _CLOSED) for folder in closed]
    return Listing(FolderFiles(root, names, np.array(stats, dtype=np.int64).reshape(-1, 2)), tuple(skipped))


def _below(root: Path, closed: list[str], job: Job[Any] | None) -> Iterator[Path]:
    """Every file below a folder; folders that cannot be looked into are added to `closed`."""
    for folder, inner, files in os.walk(root, onerror=lambda error: closed.append(error.filename), followlinks=False):
        inner.sort()
        if job is not None:
            job.tick()
        yield from (Path(folder, name) for name in sorted(files))


def _inside(path: Path, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(root)


def _regular(path: Path) -> os.stat_result | None:
    """None for what is no file: a pipe would be waited for without end."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
