"""What can be wrong with a disk, in words for a visitor, and what is done about a damaged file."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from xai_core.engine._disk import NewerSchema, NoRoom

TROUBLE = (sqlite3.Error, OSError, NewerSchema, UnicodeDecodeError)
"""The last one: Python cannot read SQLite's own message about a file with damaged names."""

DAMAGED = (
    "The file of kept results was damaged. It was put aside and a new one was begun, so older links no longer open."
)
_ONLY_IN_MEMORY = "New results are kept in memory only: a link to one works until Whybox is started again."
_NEWER = "The file of kept results was written by a newer Whybox, so this one leaves it alone."
_NO_ROOM = "The room for kept results is taken by others that have a link."
_RUINED = ("malformed", "not a database", "no such ", "no column named", "already exists", "Could not decode")
"""In SQLite's words: not a database, a damaged one, or not ours. They are the same in every version; codes need Python 3.11."""
_CAUSES = (
    ("full", "The disk is full."),
    ("locked", "Another program keeps the file of results locked."),
    ("readonly", "The data folder cannot be written to."),
    ("unable to open", "The data folder cannot be written to."),
)
_ERRNOS = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "full") | dict.fromkeys(
    (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST), "readonly"
)


def sentence(error: BaseException) -> str:
    """Why results are kept in memory only. No path and no library's words: those are for the log."""
    if isinstance(error, (NewerSchema, NoRoom)):
        return f"{_NEWER if isinstance(error, NewerSchema) else _NO_ROOM} {_ONLY_IN_MEMORY}"
    said = _ERRNOS.get(error.errno or 0, "") if isinstance(error, OSError) else str(error)
    cause = next(
        (cause for word, cause in _CAUSES if word in said),
        "The disk with the kept results does not answer as it should.",
    )
    return f"{cause} {_ONLY_IN_MEMORY}"


def is_ruined(error: BaseException) -> bool:
    """True if the file itself is at fault, so that waiting will not help."""
    said = isinstance(error, sqlite3.DatabaseError) and any(word in str(error) for word in _RUINED)
    return said or isinstance(error, UnicodeDecodeError)


def is_locked(error: BaseException) -> bool:
    """True if somebody else kept us waiting in vain."""
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def is_stale(error: BaseException) -> bool:
    """True if the file should be opened afresh before it is used again: what is remembered of it may no longer be so."""
    return isinstance(error, sqlite3.OperationalError) and "disk I/O" in str(error)


def identity(file: Path) -> int | None:
    """Which file lies there now, None if none does: another process may have put the damaged one aside already."""
    try:
        return file.stat().st_ino
    except OSError:
        return None


def put_aside(file: Path, now: float) -> None:
    """Move a damaged file with its log out of the way, and delete the one that was put aside before it. May raise OSError."""
    for old in file.parent.glob(f"{file.name}.corrupt-*"):
        old.unlink()
    for ending in ("-wal", "-shm", ""):  # the log first: it must never be read with the next file
        part = file.with_name(file.name + ending)
        if part.exists():
            part.replace(file.with_name(f"{file.name}.corrupt-{int(now)}{ending}"))
