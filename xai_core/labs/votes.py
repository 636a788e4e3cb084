"""Votes of a class: one ballot a voter and room, in memory, without names."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from xai_core.errors import InvalidParam

# Without letters and digits that are taken for one another in print and by ear, as in short links.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
CODE_LENGTH = 6
_CODE = re.compile(r"[a-z0-9]{3,20}")
MAX_ROOMS = 256
MAX_VOTERS = 200
SEEDS = 10_000


def make_room() -> str:
    """Return the code of a new room."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def clean_room(code: str) -> str:
    """Return a room's code as it is kept, from one that people type.

    Raises:
        InvalidParam: it is no code.

    >>> clean_room(" Class7B ")
    'class7b'
    """
    cleaned = code.strip().lower()
    if not _CODE.fullmatch(cleaned):
        raise InvalidParam(
            "The code of a room has 3 to 20 letters from a to z or digits, without spaces, such as “class7b”. "
            f"Got {code[:40]!r}."
        )
    return cleaned


def room_seed(code: str) -> int:
    """Return the seed of a room: everybody in it meets the same networks in the same order."""
    return int.from_bytes(hashlib.sha256(clean_room(code).encode()).digest()[:8], "big") % SEEDS


@dataclass(frozen=True)
class Count:
    """Votes of a room: how many people voted, and how many of them called each network a cheater, by its letter."""

    voters: int
    cheaters: Mapping[str, int]


class Votes:
    """Ballots by room and voter. Safe with many threads; the rooms that nobody votes in for longest go first."""

    def __init__(self, max_rooms: int = MAX_ROOMS, max_voters: int = MAX_VOTERS) -> None:
        self._max_rooms, self._max_voters = max_rooms, max_voters
        self._lock = threading.Lock()
        self._rooms: OrderedDict[str, dict[str, frozenset[str]]] = OrderedDict()

    def cast(self, room: str, voter: str, cheaters: frozenset[str]) -> None:
        """Count a ballot: the letters of the networks that this voter calls cheaters. A second one replaces the first.

        Raises:
            InvalidParam: no code of a room, or the room is full.
        """
        room = clean_room(room)
        # What identifies a browser is not kept.
        key = hashlib.sha256(f"{room} {voter}".encode(errors="surrogatepass")).hexdigest()
        with self._lock:
            ballots = self._rooms.setdefault(room, {})
            if key not in ballots and len(ballots) >= self._max_voters:
                raise InvalidParam(
                    f"{self._max_voters} people have voted in this room already, and no more are counted. "
                    "Open another room."
                )
            ballots[key] = frozenset(cheaters)
            self._rooms.move_to_end(room)
            while len(self._rooms) > self._max_rooms:
                self._rooms.popitem(last=False)

    def count(self, room: str, letters: tuple[str, ...]) -> Count:
        """Return the votes of a room so far. Raises InvalidParam for no code of a room."""
        with self._lock:
            ballots = list(self._rooms.get(clean_room(room), {}).values())
        return Count(len(ballots), {letter: sum(letter in ballot for ballot in ballots) for letter in letters})
