"""Finished results by content key, in memory and on disk: links open after a restart, nothing is computed twice.

A disk that is full, read-only, locked, damaged or written by a newer version harms nobody: results stay in memory,
`note` says why, and they are written as soon as that works again.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from xai_core.engine.lru_cache import LRUCache
from xai_core.engine.results.guarded_database import GuardedDatabase
from xai_core.engine.results.serialization import pack, unpack, unpack_picture
from xai_core.engine.results.shares import Share, Shares
from xai_core.errors import UnknownName
from xai_core.results import Attribution

log = logging.getLogger(__name__)

FILE = "results.sqlite"
MEMORY_BYTES = 256 * 2**20
DISK_BYTES = 2**30
_KEY = re.compile(r"[0-9a-f]{64}")
# Bytes a result takes beside its values, roughly.
_OVERHEAD = 4096
# Results that the disk did not take before which are written with a new one.
_PENDING_PER_PUT = 8
_GONE = "This explanation is no longer kept, so no link to it can be made. Run it again, then make the link."


@dataclass(frozen=True)
class StoreCounts:
    """Hits and misses since the start, and the size of the store now."""

    memory_hits: int
    disk_hits: int
    misses: int
    memory_bytes: int
    disk_bytes: int
    results: int


class Store:
    """Results in memory (LRU), then in SQLite in `folder`. Safe with many threads and processes.

    Keys are hex SHA-256s. Nothing here raises because of a disk.
    """

    def __init__(
        self,
        folder: Path,
        memory_bytes: int = MEMORY_BYTES,
        disk_bytes: int = DISK_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._disk = GuardedDatabase(folder / FILE, disk_bytes, clock)
        self._memory: LRUCache[Attribution] = LRUCache(memory_bytes)
        self.shares = Shares(self._disk, memory_bytes // 8, clock)
        """Short links to results."""
        self._pending: dict[str, None] = {}
        """Results that the disk did not take, oldest first."""
        self._hits = {"memory": 0, "disk": 0, "nowhere": 0}
        self._lock = threading.Lock()

    def get(self, key: str) -> Attribution | None:
        """Return the result of this key, or None. Counts as a use of it."""
        result, where = self._find(key)
        with self._lock:
            self._hits[where] += 1
        return result

    def put(self, key: str, result: Attribution) -> None:
        """Keep a result: in memory at once, and on disk before this returns where the disk allows it, else later."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"the key of a result is a hex SHA-256, got {key[:80]!r}")
        self._cache(key, result)
        pending = [] if self._save(key, result) else [key]
        pending += self._save_pending(0 if pending else _PENDING_PER_PUT)
        with self._lock:
            self._pending.update(dict.fromkeys(pending))
        if not pending:
            self.shares.save_waiting()

    def share(
        self, keys: Sequence[str], page: str, query: Mapping[str, str], owner: str, picture: Image.Image | None = None
    ) -> Share:
        """Make a short link to these results, and to a page with its choices; the owner's secret can delete it.

        Raises UnknownName if one of the results is no longer here.
        """
        results = {key: result for key in keys if (result := self._find(key)[0]) is not None}
        if len(results) < len(set(keys)):
            raise UnknownName(_GONE)
        return self.shares.add(results, page, query, owner, picture)

    def picture(self, key: str) -> Image.Image | None:
        """Return the picture that an old link keeps with this result, or None."""
        if not _KEY.fullmatch(key):
            return None
        packed = self._disk.ask(lambda disk: disk.picture(key), None)
        return unpack_picture(packed) if packed else None

    def forget_picture(self, key: str, token: str) -> bool:
        """Delete the picture of an old link to this result that the token owns.

        False if it owns none, or the disk refuses.
        """
        if not _KEY.fullmatch(key):
            return False
        secret = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        return self._disk.ask(lambda disk: disk.forget(key, secret), False)

    @property
    def note(self) -> str:
        """Reason for a visitor why results are only kept in memory, or why older ones are gone; else empty."""
        return self._disk.note

    def counts(self) -> StoreCounts:
        """Return hits and misses since the start; bytes and results now."""
        size = self._disk.ask(lambda disk: disk.bytes(), 0)
        nobody: set[str] = set()
        keys = self._disk.ask(lambda disk: disk.keys(), nobody) | {key for key, _ in self._memory.items()}
        with self._lock:
            hits = self._hits
            return StoreCounts(hits["memory"], hits["disk"], hits["nowhere"], self._memory.bytes, size, len(keys))

    def close(self) -> None:
        """Write pending results and close the file. From then on the store works in memory."""
        self._disk.wake()
        self._save_pending(len(self._pending))
        self.shares.save_waiting()
        self._disk.close()

    def _find(self, key: str) -> tuple[Attribution | None, str]:
        """Return a result and its place: memory, disk or nowhere."""
        if not _KEY.fullmatch(key):
            return None, "nowhere"
        result, where = self._memory.get(key), "memory"
        if result is None:
            result, where = self._read(key), "disk"
        if result is None:
            return None, "nowhere"
        self._disk.touch(key)
        return result, where

    def _read(self, key: str) -> Attribution | None:
        """Return a result from the disk, or None; a damaged row is deleted."""
        packed = self._disk.ask(lambda disk: disk.read(key), None)
        if packed is None:
            return None
        result = unpack(key, packed)
        if result is None:
            log.warning("a saved result was damaged and is deleted: %s", key)
            self._disk.write(lambda disk: disk.drop(key, packed))
        else:
            self._cache(key, result)
        return result

    def _cache(self, key: str, result: Attribution) -> None:
        self._memory.put(key, result, result.values.nbytes + _OVERHEAD)

    def _save(self, key: str, result: Attribution) -> bool:
        """Write a result. False if that must be tried again."""
        # Before anything is locked: it takes longer than writing.
        packed = pack(key, result)
        return self._disk.write(lambda disk: disk.write(key, packed)) != "later"

    def _save_pending(self, limit: int) -> list[str]:
        """Write results the disk did not take before, if still in memory; return the keys to try again."""
        with self._lock:
            keys = list(self._pending)[:limit]
            for key in keys:
                del self._pending[key]
        for number, key in enumerate(keys):
            result = self._memory.get(key)
            if result is not None and not self._save(key, result):
                return keys[number:]
        return []
