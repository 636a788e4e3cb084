"""A disk that may fail: whatever happens to it, the caller gets an answer and `note` says what is the matter."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from xai_core.engine._disk import Disk, NoRoom
from xai_core.engine._faults import DAMAGED, TROUBLE, identity, is_locked, is_ruined, is_stale, put_aside, sentence

log = logging.getLogger(__name__)

T = TypeVar("T")
Outcome = Literal["kept", "later", "never"]
"""Of a write: done; worth another try; larger than the room there is."""
REST_S = 10.0
"""A disk that kept us waiting in vain is left alone this long, so that not every worker waits for it."""


class GuardedDisk:
    """The file of results: opened again when that may help, begun anew when it is damaged, left alone when nothing helps."""

    def __init__(self, file: Path, limit: int, clock: Callable[[], float]) -> None:
        self._file, self._limit, self._clock = file, limit, clock
        self._lock = threading.Lock()
        self._disk: Disk | None = None
        self._inode: int | None = None
        self._closed = False
        self._rest_until = float("-inf")
        self._trouble = self._news = ""
        self._opened()

    @property
    def note(self) -> str:
        """Empty, or for a visitor: why nothing is written now, or why older results are gone."""
        return self._trouble or self._news

    def ask(self, do: Callable[[Disk], T], otherwise: T) -> T:
        """What `do` finds on the disk; `otherwise` where the disk fails. Raises NoRoom where `do` does."""
        for _ in range(2):
            disk = self._opened()
            if disk is None:
                break
            try:
                return do(disk)
            except TROUBLE as error:
                if not self._begun_anew(disk, error):
                    break
        return otherwise

    def write(self, do: Callable[[Disk], object]) -> Outcome:
        """Do something that writes. A disk that was just waited for in vain is not asked."""

        def done(disk: Disk) -> Outcome:
            do(disk)
            self._trouble = ""
            return "kept"

        try:
            return "later" if self._resting() else self.ask(done, "later")
        except NoRoom as error:
            self._say(error)
            return "never"

    def touch(self, key: str) -> None:
        """Remember that a result was used."""
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
            self._drop()

    def _drop(self) -> None:
        if self._disk is not None:
            self._disk.close()
        self._disk = None

    def _opened(self) -> Disk | None:
        """The disk, opened if it is not and may be now. A file that was moved or deleted under us is not written to any more."""
        with self._lock:
            if self._disk is not None and identity(self._file) != self._inode:
                self._drop()
            if self._disk is None and not self._closed and not self._resting():
                self._inode = identity(self._file)
                try:
                    self._open()
                except TROUBLE as error:
                    self._recover(error, rest=True)
            return self._disk

    def _open(self) -> None:
        self._disk = Disk(self._file, self._limit)
        self._inode, self._trouble = identity(self._file), ""

    def _begun_anew(self, disk: Disk, error: BaseException) -> bool:
        """Whether there is another file now, so that what failed is worth another try."""
        with self._lock:
            if self._disk is disk:
                self._recover(error, rest=is_locked(error))
            return self._disk not in (None, disk)

    def _recover(self, error: BaseException, rest: bool) -> None:
        """Put a damaged file aside, unless another process has just done that, and begin another. Else say what is wrong."""
        if not is_ruined(error):
            self._say(error, rest)
            if is_stale(error):
                self._drop()
            return
        log.warning("the file of results is damaged: %s", error)
        self._drop()
        try:
            if identity(self._file) == self._inode:
                put_aside(self._file, self._clock())
            self._open()
            self._news = DAMAGED
        except TROUBLE as worse:
            self._say(worse, rest=True)

    def _say(self, error: BaseException, rest: bool = False) -> None:
        if self._trouble != sentence(error):
            log.warning("results are kept in memory only: %s %s", type(error).__name__, error)
        self._trouble = sentence(error)
        if rest:
            self._rest_until = self._clock() + REST_S

    def _resting(self) -> bool:
        return 0 < self._rest_until - self._clock() <= REST_S  # a clock that is put back must not mean a rest of hours
