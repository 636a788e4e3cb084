"""Short links to saved results: code, owner, what is shown, and a picture of the visitor's own.

A disk that takes none leaves them in memory: the link works until the process ends, and is written once that works.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from PIL import Image

from xai_core.engine.lru_cache import LRUCache
from xai_core.engine.results.database import Database
from xai_core.engine.results.guarded_database import GuardedDatabase, Outcome
from xai_core.engine.results.serialization import (
    PackedImage,
    PackedShare,
    pack,
    pack_picture,
    pack_share,
    unpack_picture,
    unpack_share,
)
from xai_core.results import Attribution

# Without letters and digits that are taken for one another in print and by ear: 0 o, 1 l i.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
# 31 ** 10 codes: at a thousand guesses a second one of a thousand links is met after some 13,000 years.
CODE_LENGTH = 10
_CODE = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")
# Bytes of a share beside its results and its picture, roughly.
_OVERHEAD = 4096
_DELETED = PackedShare(b"", b"")


@dataclass(frozen=True)
class Share:
    """A page that a short link opens, with its choices and finished results, in their order.

    `created` is a Unix time; `has_picture` says whether a picture is kept with it. A deleted one has only its code.
    """

    code: str
    results: tuple[str, ...] = ()
    page: str = ""
    query: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    created: float = 0.0
    has_picture: bool = False
    owner_sha256: str = ""
    is_deleted: bool = False

    def is_owned_by(self, owner: str) -> bool:
        """Return whether this secret is the one that the link was made with."""
        return bool(owner) and secrets.compare_digest(self.owner_sha256, _hash_owner(owner))


@dataclass(frozen=True)
class _Waiting:
    """A share that the disk did not take, with all it needs to be written later."""

    share: Share
    results: Mapping[str, Attribution]
    picture: PackedImage | None


class Shares:
    """Short links in the file of results. Safe with many threads and processes; nothing here raises for a disk."""

    def __init__(self, disk: GuardedDatabase, memory_bytes: int, clock: Callable[[], float]) -> None:
        self._disk, self._clock = disk, clock
        self._waiting: LRUCache[_Waiting] = LRUCache(memory_bytes)
        self._later: set[str] = set()
        """Codes among `_waiting` that are worth another try."""
        self._lock = threading.Lock()
        """Held while a share goes from memory to disk: its owner must not delete it half-way."""

    def add(
        self,
        results: Mapping[str, Attribution],
        page: str,
        query: Mapping[str, str],
        owner: str,
        picture: Image.Image | None,
    ) -> Share:
        """Keep a link to these results, by key, and to a page with its choices; return it with its code."""
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        share = Share(code, tuple(results), page, dict(query), self._clock(), picture is not None, _hash_owner(owner))
        waiting = _Waiting(share, dict(results), None if picture is None else pack_picture(picture))
        outcome = self._write(waiting)
        if outcome != "kept":
            size = sum(result.values.nbytes for result in results.values()) + _OVERHEAD
            self._waiting.put(code, waiting, size + (len(waiting.picture.png) if waiting.picture else 0))
        if outcome == "later":
            self._later.add(code)
        return share

    def find(self, code: str) -> Share | None:
        """Return the share of a code as people type it, also a deleted one; None if there is none."""
        code = _clean(code)
        if not code:
            return None
        packed = self._disk.ask(lambda disk: disk.share(code), None)
        if packed == _DELETED:
            return Share(code, is_deleted=True)
        if packed is not None:
            return _read(code, packed)
        waiting = self._waiting.get(code)
        return waiting.share if waiting else None

    def picture(self, code: str) -> Image.Image | None:
        """Return the picture kept with a share, or None."""
        code = _clean(code)
        packed = self._disk.ask(lambda disk: disk.shared_picture(code), None)
        if packed is None and (waiting := self._waiting.get(code)):
            packed = waiting.picture
        return unpack_picture(packed) if packed else None

    def delete(self, code: str, owner: str) -> bool:
        """Delete a share with its picture; False unless this secret is its owner's, or where the disk refuses."""
        share = self.find(code)
        if share is None or not share.is_owned_by(owner):
            return False
        with self._lock:
            was_waiting = self._waiting.get(share.code) is not None
            self._waiting.pop(share.code)
            self._later.discard(share.code)
        # Of one that was only in memory the disk remembers the deletion, if it can.
        return self._disk.ask(lambda disk: disk.delete_share(share.code), False) or was_waiting

    def save_waiting(self) -> None:
        """Write the shares that the disk did not take before, as far as they are still in memory."""
        for code in tuple(self._later):
            with self._lock:
                waiting = self._waiting.get(code)
                if waiting is not None:
                    outcome = self._write(waiting)
                    if outcome == "later":
                        return
                    if outcome == "kept":
                        self._waiting.pop(code)
                self._later.discard(code)

    def _write(self, waiting: _Waiting) -> Outcome:
        share = waiting.share
        packers = {key: partial(pack, key, result) for key, result in waiting.results.items()}
        about = {
            "results": share.results,
            "page": share.page,
            "query": dict(share.query),
            "created": share.created,
            "has_picture": share.has_picture,
            "owner_sha256": share.owner_sha256,
        }
        packed = pack_share(share.code, json.dumps(about).encode())

        def write(disk: Database) -> None:
            disk.write_share(share.code, packed, packers, waiting.picture)

        return self._disk.write(write)


def _read(code: str, packed: PackedShare) -> Share | None:
    """Return the share of a row, or None if it is not what was written."""
    about = unpack_share(code, packed)
    # Another version may write other names.
    if about is None or set(about) != {"results", "page", "query", "created", "has_picture", "owner_sha256"}:
        return None
    results, query = about.pop("results"), about["query"]
    if not isinstance(results, list) or not isinstance(query, dict) or not isinstance(about["created"], (int, float)):
        return None
    texts = (*results, *query.values(), about["page"], about["owner_sha256"])
    return Share(code, tuple(results), **about) if all(isinstance(text, str) for text in texts) else None


def _clean(code: str) -> str:
    """Return a code as it is kept, or "" for what is none."""
    code = code.strip().lower()
    return code if _CODE.fullmatch(code) else ""


def _hash_owner(owner: str) -> str:
    """Return the hash of an owner's secret: enough to recognise it, too little to use it."""
    return hashlib.sha256(owner.encode(errors="surrogatepass")).hexdigest()
