"""Faults of a disk in words for a visitor, and the repair of a damaged file."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from xai_core.engine.results.database import NewerSchema, StoreFull

# Errors of a disk; UnicodeDecodeError where Python cannot read SQLite's message about damaged names.
DISK_ERRORS = (sqlite3.Error, OSError, NewerSchema, UnicodeDecodeError)

DAMAGED = (
    "The file of saved results was damaged. It was set aside and a new one was started, so older links no longer open."
)
_ONLY_IN_MEMORY = "New results are kept in memory only: a link to one works until Whybox is started again."
_NEWER = "The file of saved results was written by a newer Whybox, so this one leaves it alone."
_NO_ROOM = "The space for saved results is taken by others that have a link."
# SQLite's messages for no database, a damaged one, or not ours; the same in every version (codes need Python 3.11).
_RUINED = ("malformed", "not a database", "no such ", "no column named", "already exists", "Could not decode")
_CAUSES = (
    ("full", "The disk is full."),
    ("locked", "Another program keeps the file of results locked."),
    ("readonly", "The data folder cannot be written to."),
    ("unable to open", "The data folder cannot be written to."),
)
_ERRNOS = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "full") | dict.fromkeys(
    (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST), "readonly"
)


def explain_fault(error: BaseException) -> str:
    """Return the reason why results are kept in memory only, without paths and a library's words."""
    if isinstance(error, (NewerSchema, StoreFull)):
        return f"{_NEWER if isinstance(error, NewerSchema) else _NO_ROOM} {_ONLY_IN_MEMORY}"
    words = _ERRNOS.get(error.errno or 0, "") if isinstance(error, OSError) else str(error)
    cause = next(
        (cause for word, cause in _CAUSES if word in words),
        "The disk with the saved results does not answer as it should.",
    )
    return f"{cause} {_ONLY_IN_MEMORY}"


def is_damaged(error: BaseException) -> bool:
    """Return whether the file itself is at fault, so that waiting will not help."""
    is_reported = isinstance(error, sqlite3.DatabaseError) and any(word in str(error) for word in _RUINED)
    return is_reported or isinstance(error, UnicodeDecodeError)


def is_locked(error: BaseException) -> bool:
    """Return whether the file stayed locked until the timeout."""
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def is_stale(error: BaseException) -> bool:
    """Return whether the file must be opened again before its next use."""
    return isinstance(error, sqlite3.OperationalError) and "disk I/O" in str(error)


def inode_of(file: Path) -> int | None:
    """Return the inode of the file there now, None if there is none: another process may have set it aside."""
    try:
        return file.stat().st_ino
    except OSError:
        return None


def set_aside(file: Path, now: float) -> None:
    """Move a damaged file with its log out of the way, and delete the one set aside before. May raise OSError."""
    for old in file.parent.glob(f"{file.name}.corrupt-*"):
        old.unlink()
    # The log first: it must never be read with the next file.
    for ending in ("-wal", "-shm", ""):
        part = file.with_name(file.name + ending)
        if part.exists():
            part.replace(file.with_name(f"{file.name}.corrupt-{int(now)}{ending}"))
