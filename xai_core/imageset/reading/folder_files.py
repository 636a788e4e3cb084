"""Files of a folder on the server: only below the folders of WHYBOX_SETS, and nothing outside it by way of a link."""

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
from xai_core.formatting import printable
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

_TOO_MANY = f"A folder may hold {MAX_FILES:,} files. This one holds more: split it, or choose one of its sub-folders."
_CHANGED = "This file has changed, or is no longer there, since the folder was read. Read the folder again."
_LINK = "This is a link to a place outside the folder, which is not followed."
_NO_FILE = "This is not a file, or it is a link that leads nowhere."
_UNPRINTABLE = "The name of this file cannot be shown. Rename it."
_UNREADABLE_FOLDER = "What is in this folder may not be read. Ask whoever runs Whybox to open it."
# Errors of a process that has too much open: another time the file can be read.
_BUSY_ERRORS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class FolderFiles:
    """Files below `root` by row, as they were when listed: size in bytes and time of change in ns, (K, 2)."""

    def __init__(self, root: Path, names: Sequence[str], stats: Int64, skipped: Sequence[tuple[str, str]] = ()) -> None:
        self.root = root
        self.names = names
        self._stats = stats
        self.skipped_files = skipped
        self.notes: tuple[str, ...] = ()

    def read(self, row: int) -> bytes:
        path = self.root / self.names[row]
        try:
            status = path.stat()
            same = stat.S_ISREG(status.st_mode) and [status.st_size, status.st_mtime_ns] == self._stats[row].tolist()
            if not same or not _is_inside(path, self.root):
                raise InvalidImage(_CHANGED)
            if status.st_size > MAX_BYTES:
                raise InvalidImage(TOO_HEAVY)
            with path.open("rb") as stream:
                return stream.read(MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in _BUSY_ERRORS:
                raise not_now(error) from error
            if not self.root.is_dir():
                raise InvalidSet(GONE) from error
            raise InvalidImage(_CHANGED) from error

    def take(self, rows: npt.NDArray[np.intp]) -> FolderFiles:
        return FolderFiles(self.root, [self.names[row] for row in rows], self._stats[rows])

    def index_arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        return {"stats": self._stats}


def check_folder(path: str | os.PathLike[str]) -> Path:
    """Return the real place of a folder or file that may be read.

    Raises InvalidSet, in the same words if it exists or not.
    """
    roots = settings.image_set_dirs()
    try:
        real = Path(os.path.realpath(path))
    except (OSError, ValueError, TypeError):
        real = None
    if real is None or not any(real.is_relative_to(root) for root in roots):
        allowed = ", ".join(repr(str(root)) for root in roots) or "none yet"
        raise InvalidSet(
            "Only folders that whoever runs this server has opened for picture sets can be read "
            f"(setting WHYBOX_SETS: {allowed}). Choose one of them, or upload a zip."
        )
    return real


def list_folder(root: Path, job: Job[Any] | None = None) -> FolderFiles:
    """List all files below a folder. Raises InvalidSet where it is none or holds too many."""
    if not root.is_dir():
        raise InvalidSet(f"There is no folder {root.name[:80]!r} here. Check its name.")
    names, stats, skipped = [], [], []
    unreadable: list[str] = []
    for path in _iter_paths(root, unreadable, job or Job()):
        name = path.relative_to(root).as_posix()
        if is_litter(name):
            continue
        if not name.isprintable():
            skipped.append((_replace_unprintable(name[-MAX_NAME:]), _UNPRINTABLE))
        elif len(name) > MAX_NAME:
            skipped.append((name[-MAX_NAME:], TOO_LONG))
        # Folders that are links are not entered.
        elif path.is_symlink() and not _is_inside(path, root):
            skipped.append((name, _LINK))
        elif (status := _file_status(path)) is not None:
            names.append(name)
            stats.append((status.st_size, status.st_mtime_ns))
        elif is_read(name):
            skipped.append((name, _NO_FILE))
        if len(names) + len(skipped) > MAX_FILES:
            raise InvalidSet(_TOO_MANY)
    for folder in unreadable:
        name = Path(folder).relative_to(root).as_posix()[-MAX_NAME:]
        skipped.append((_replace_unprintable(name), _UNREADABLE_FOLDER))
    return FolderFiles(root, names, np.array(stats, dtype=np.int64).reshape(-1, 2), skipped)


def reopen_folder(
    root: str, names: Sequence[str], stats: Int64 | None, must_be_allowed: bool = True
) -> FolderFiles | None:
    """Return the files of a folder listed before; None if the folder may no longer be read, or `stats` do not fit."""
    if must_be_allowed:
        try:
            check_folder(root)
        except InvalidSet:
            return None
    return FolderFiles(Path(root), names, stats) if stats is not None and stats.shape == (len(names), 2) else None


def _iter_paths(root: Path, unreadable: list[str], job: Job[Any]) -> Iterator[Path]:
    """Yield every file below a folder; folders that cannot be listed are added to `unreadable`."""

    def note_folder(error: OSError) -> None:
        unreadable.append(error.filename)

    for folder, inner, files in os.walk(root, onerror=note_folder, followlinks=False):
        inner.sort()
        job.tick()
        yield from (Path(folder, name) for name in sorted(files))


def _is_inside(path: Path, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(root)


def _file_status(path: Path) -> os.stat_result | None:
    """Return the status of a regular file, else None: reading a pipe would never end."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _replace_unprintable(name: str) -> str:
    return printable(name, replacement="\N{REPLACEMENT CHARACTER}")
