"""Finished results by content key: in memory first, then on disk, so that a link opens after a restart and nothing is computed twice.

A disk that is full, read-only, locked, damaged or written by a newer version harms nobody: results stay in memory, `note` says why,
and they are written as soon as that works again.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from xai_core.engine._guarded import GuardedDisk, Outcome
from xai_core.engine._packing import PackedPicture, pack, pack_picture, unpack, unpack_picture
from xai_core.engine.lru_cache import Recent
from xai_core.errors import UnknownName
from xai_core.results import Attribution

log = logging.getLogger(__name__)

FILE = "results.sqlite"
MEMORY_BYTES = 256 * 2**20
DISK_BYTES = 2**30
_KEY = re.compile(r"[0-9a-f]{64}")
_BESIDE = 4096
"""Bytes a result takes beside its values, about."""
_LATE = 8
"""So many results that the disk did not take before are written with a new one."""
_GONE = "This explanation is no longer kept, so no link to it can be made. Run it again, then make the link."


@dataclass(frozen=True)
class StoreCounts:
    """How often a result was found and where since the start, and how much is kept now."""

    memory_hits: int
    disk_hits: int
    misses: int
    memory_bytes: int
    disk_bytes: int
    results: int


class Store:
    """Results in memory (least recently used go first), then in SQLite in `folder`. Safe with many threads and processes.

    Keys are hex SHA-256s. Nothing here raises because of a disk.
    """

    def __init__(
        self,
        folder: Path,
        memory_bytes: int = MEMORY_BYTES,
        disk_bytes: int = DISK_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._disk = GuardedDisk(folder / FILE, disk_bytes, clock)
        self._memory: Recent[Attribution] = Recent(memory_bytes)
        self._pictures: Recent[tuple[frozenset[str], PackedPicture]] = Recent(memory_bytes // 8)
        """Pictures that the disk did not take, by the hash of their owner's token."""
        self._unsaved: dict[str, None] = {}
        """Results that the disk did not take, oldest first."""
        self._unlinked: set[str] = set()
        """The pictures among `_pictures` that are to be tried again."""
        self._linking = threading.Lock()
        """Held while a picture goes from memory to disk: its owner must not delete it half-way."""
        self._found = {"memory": 0, "disk": 0, "nowhere": 0}
        self._lock = threading.Lock()

    def get(self, key: str) -> Attribution | None:
        """The result of this key, or None. Counts as a use of it."""
        found, where = self._find(key)
        with self._lock:
            self._found[where] += 1
        return found

    def put(self, key: str, found: Attribution) -> None:
        """Keep a result: in memory at once, and on disk before this returns where the disk allows it, else later."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"the key of a result is a hex SHA-256, got {key[:80]!r}")
        self._remember(key, found)
        late = [] if self._save(key, found) else [key]
        late += self._save_late(0 if late else _LATE)
        with self._lock:
            self._unsaved.update(dict.fromkeys(late))
        if not late:
            self._link_late()

    def keep_picture(self, keys: Sequence[str], image: Image.Image) -> str:
        """Keep the picture with these results, as long as there is room. What comes back is the owner's secret: it lets them delete it.

        Raises UnknownName if one of the results is not here any more.
        """
        results = {key: found for key in keys if (found := self._find(key)[0]) is not None}
        if not results or len(results) < len(set(keys)):
            raise UnknownName(_GONE)
        token, picture = secrets.token_urlsafe(32), pack_picture(image)
        outcome = self._link(results, _secret(token), picture)
        if outcome != "kept":
            self._pictures.put(_secret(token).hex(), (frozenset(results), picture), len(picture.png))
        if outcome == "later":
            self._unlinked.add(_secret(token).hex())
        return token

    def picture(self, key: str) -> Image.Image | None:
        """The picture kept with this result, or None."""
        if not _KEY.fullmatch(key):
            return None
        packed = self._disk.ask(lambda disk: disk.picture(key), None)
        if packed is None:
            packed = next((picture for _, (keys, picture) in reversed(self._pictures.items()) if key in keys), None)
        return unpack_picture(packed) if packed else None

    def forget_picture(self, key: str, token: str) -> bool:
        """Delete the picture of this result that the token owns, and its links. False if it owns none, or the disk refuses."""
        if not _KEY.fullmatch(key):
            return False
        secret = _secret(token)
        with self._linking:
            kept = dict(self._pictures.items()).get(secret.hex())
            if kept and key in kept[0]:
                self._pictures.pop(secret.hex())
                return True
        return self._disk.ask(lambda disk: disk.forget(key, secret), False)

    @property
    def note(self) -> str:
        """Empty, or for a visitor: why results are only kept in memory, or why older ones are gone."""
        return self._disk.note

    def counts(self) -> StoreCounts:
        """Hits and misses since the start; bytes and results now."""
        size = self._disk.ask(lambda disk: disk.bytes(), 0)
        nobody: set[str] = set()
        keys = self._disk.ask(lambda disk: disk.keys(), nobody) | {key for key, _ in self._memory.items()}
        with self._lock:
            found = self._found
            return StoreCounts(found["memory"], found["disk"], found["nowhere"], self._memory.bytes, size, len(keys))

    def close(self) -> None:
        """Write what is still unwritten and close the file. From then on the store works in memory."""
        self._disk.wake()
        self._save_late(len(self._unsaved))
        self._link_late()
        self._disk.close()

    def _find(self, key: str) -> tuple[Attribution | None, str]:
        """A result and where it was: memory, disk or nowhere."""
        if not _KEY.fullmatch(key):
            return None, "nowhere"
        found, where = self._memory.get(key), "memory"
        if found is None:
            found, where = self._read(key), "disk"
        if found is None:
            return None, "nowhere"
        self._disk.touch(key)
        return found, where

    def _read(self, key: str) -> Attribution | None:
        """A result from the disk, or None; a damaged row is deleted."""
        packed = self._disk.ask(lambda disk: disk.read(key), None)
        if packed is None:
            return None
        found = unpack(key, packed)
        if found is None:
            log.warning("a kept result was damaged and is deleted: %s", key)
            self._disk.write(lambda disk: disk.drop(key, packed))
        else:
            self._remember(key, found)
        return found

    def _remember(self, key: str, found: Attribution) -> None:
        self._memory.put(key, found, found.values.nbytes + _BESIDE)

    def _save(self, key: str, found: Attribution) -> bool:
        """Write a result. False if that must be tried again."""
        packed = pack(key, found)  # before anything is locked: it takes longer than writing
        return self._disk.write(lambda disk: disk.write(key, packed)) != "later"

    def _save_late(self, most: int) -> list[str]:
        """Write results the disk did not take before, as far as they are still in memory. What comes back must be tried again."""
        with self._lock:
            keys = list(self._unsaved)[:most]
            for key in keys:
                del self._unsaved[key]
        for number, key in enumerate(keys):
            found = self._memory.get(key)
            if found is not None and not self._save(key, found):
                return keys[number:]
        return []

    def _link(self, results: Mapping[str, Attribution], secret: bytes, picture: PackedPicture) -> Outcome:
        """Write a picture with its results."""
        packers = {key: partial(pack, key, found) for key, found in results.items()}
        return self._disk.write(lambda disk: disk.link(packers, secret, picture))

    def _link_late(self) -> None:
        """Write pictures the disk did not take before, as far as they and their results are still in memory."""
        for owner in tuple(self._unlinked):
            with self._linking:
                if self._link_one(owner) == "later":
                    return
                self._unlinked.discard(owner)

    def _link_one(self, owner: str) -> Outcome:
        kept = self._pictures.get(owner)
        if kept is None:
            return "never"
        results = {key: found for key in kept[0] if (found := self._memory.get(key)) is not None}
        if len(results) < len(kept[0]):
            return "never"
        outcome = self._link(results, bytes.fromhex(owner), kept[1])
        if outcome == "kept":
            self._pictures.pop(owner)
        return outcome


def _secret(token: str) -> bytes:
    """What is kept of a token: enough to know it again, too little to use it."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
