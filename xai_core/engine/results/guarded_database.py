"""A database whose disk may fail: callers always get an answer, and `note` says what is wrong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from xai_core.engine.results.database import Database, StoreFull
from xai_core.engine.results.faults import (
    DAMAGED,
    DISK_ERRORS,
    explain_fault,
    inode_of,
    is_damaged,
    is_locked,
    is_stale,
    set_aside,
)

log = logging.getLogger(__name__)

T = TypeVar("T")
# Of a write: done; worth another try; larger than the space there is.
Outcome = Literal["kept", "later", "never"]
# Pause after a timeout of the disk, so that not every worker waits for it.
REST_S = 10.0


class GuardedDatabase:
    """The file of results: reopened when that may help, replaced when damaged, left alone when nothing helps."""

    def __init__(self, file: Path, limit: int, clock: Callable[[], float]) -> None:
        self._file, self._limit, self._clock = file, limit, clock
        self._lock = threading.Lock()
        self._disk: Database | None = None
        self._inode: int | None = None
        self._closed = False
        self._rest_until = float("-inf")
        self._trouble = self._news = ""
        self._ensure_open()

    @property
    def note(self) -> str:
        """Reason for a visitor why nothing is written now, or why older results are gone; else empty."""
        return self._trouble or self._news

    def ask(self, do: Callable[[Database], T], otherwise: T) -> T:
        """Return the result of `do`, or `otherwise` where the disk fails. Raises StoreFull where `do` does."""
        for _ in range(2):
            disk = self._ensure_open()
            if disk is None:
                break
            try:
                return do(disk)
            except DISK_ERRORS as error:
                if not self._has_reopened(disk, error):
                    break
        return otherwise

    def write(self, do: Callable[[Database], object]) -> Outcome:
        """Run something that writes, unless the disk rests after a timeout."""

        def run(disk: Database) -> Outcome:
            do(disk)
            self._trouble = ""
            return "kept"

        try:
            return "later" if self._is_resting() else self.ask(run, "later")
        except StoreFull as error:
            self._report(error)
            return "never"

    def touch(self, key: str) -> None:
        """Note the use of a result."""
        disk = self._disk
        if disk is not None:
            disk.touch(key)

    def wake(self) -> None:
        """Try the disk again at once."""
        self._rest_until = float("-inf")

    def close(self) -> None:
        """Close the file for good."""
        with self._lock:
            self._closed = True
            self._close()

    def _close(self) -> None:
        if self._disk is not None:
            self._disk.close()
        self._disk = None

    def _ensure_open(self) -> Database | None:
        """Return the database, opened if it may be; a file that was moved or deleted under us is not written to."""
        with self._lock:
            if self._disk is not None and inode_of(self._file) != self._inode:
                self._close()
            if self._disk is None and not self._closed and not self._is_resting():
                self._inode = inode_of(self._file)
                try:
                    self._open()
                except DISK_ERRORS as error:
                    self._recover(error, rest=True)
            return self._disk

    def _open(self) -> None:
        self._disk = Database(self._file, self._limit)
        self._inode, self._trouble = inode_of(self._file), ""

    def _has_reopened(self, disk: Database, error: BaseException) -> bool:
        """Return whether there is another file now, so that the failed call is worth another try."""
        with self._lock:
            if self._disk is disk:
                self._recover(error, rest=is_locked(error))
            return self._disk not in (None, disk)

    def _recover(self, error: BaseException, rest: bool) -> None:
        """Set a damaged file aside, unless another process just did, and begin another; else report the error."""
        if not is_damaged(error):
            self._report(error, rest)
            if is_stale(error):
                self._close()
            return
        log.warning("the file of results is damaged: %s", error)
        self._close()
        try:
            if inode_of(self._file) == self._inode:
                set_aside(self._file, self._clock())
            self._open()
            self._news = DAMAGED
        except DISK_ERRORS as worse:
            self._report(worse, rest=True)

    def _report(self, error: BaseException, rest: bool = False) -> None:
        if self._trouble != explain_fault(error):
            log.warning("results are kept in memory only: %s %s", type(error).__name__, error)
        self._trouble = explain_fault(error)
        if rest:
            self._rest_until = self._clock() + REST_S

    def _is_resting(self) -> bool:
        # A clock that is put back must not mean a rest of hours.
        return 0 < self._rest_until - self._clock() <= REST_S
