"""Sets on disk: one folder each under the data folder, written beside and renamed, so that a half-written one is never found.

A folder holds manifest.json, labels.npy, masked.npy, thumbs.u8 (raw pixels) and what its kind of source needs. Nothing is pickled.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core import settings
from xai_core.errors import InvalidSet
from xai_core.imageset.image_set import ImageSet, Source
from xai_core.imageset.row_arrays import loaded
from xai_core.imageset.thumbnails import THUMB

VERSION = 2
"""Raised when the same file would give another set: part of every id, so that nothing computed for the old one is taken for the new."""
BUILT_IN = "built-in"
_UNFINISHED, _SIGNED = ".new-", "signed-"
_STALE_S = 2 * 24 * 3600.0
_DEFAULT_MB = 20_000
_ID = re.compile(r"[0-9a-f]{24}")
FULL = "The disk is full, or may not be written to, so this picture set cannot be kept. Make room and try again."


@dataclass(frozen=True)
class Manifest:
    """What manifest.json says of a set. `kind` names where its pictures come from: see `_OPENERS` in _own."""

    kind: str
    name: str
    title: str
    names: tuple[str, ...]
    classes: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    origin: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    masks: tuple[str, ...] = ()
    """Names of the files of masks, which come after the pictures."""
    root: str = ""
    """The folder, where it is one on the server."""
    unread: int = 0
    """How many files could not be read: `skipped` lists the first."""
    version: int = VERSION


@dataclass(frozen=True)
class StoredSet:
    """A set on disk: its size in bytes and when it was used last (seconds since 1970)."""

    id: str
    kind: str
    name: str
    title: str
    pictures: int
    bytes: int
    used: float


def shelf() -> Path:
    """The folder of all kept sets. Not created here."""
    return settings.data_dir("imagesets") / "sets"


def is_id(text: object) -> bool:
    """Whether this can be the id of a set at all: ids come from links and become names of folders."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


@contextmanager
def bench() -> Iterator[Path]:
    """A new folder to write a set in; if it is still there at the end it is deleted. Raises InvalidSet where the disk is full."""
    try:
        shelf().mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep()
        folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=shelf()))
    except OSError as error:
        raise InvalidSet(FULL) from error
    try:
        yield folder
    except OSError as error:
        raise InvalidSet(FULL) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def settle(folder: Path, set_id: str, manifest: Manifest, arrays: Mapping[str, npt.NDArray[Any]]) -> Path:
    """Finish a folder from the bench and move it to its place, unless a set of this id is there already; its place."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    (folder / "manifest.json").write_text(json.dumps(asdict(manifest)), encoding="utf-8")
    place = shelf() / set_id
    try:
        if not place.exists():  # else it is the same, and others may be reading it
            folder.rename(place)
    except OSError:
        if not place.exists():  # else another one was quicker
            raise
    return place


def read_manifest(set_id: str) -> Manifest | None:
    """What is kept under this id, or None if nothing sound is."""
    try:
        said = json.loads((shelf() / set_id / "manifest.json").read_text(encoding="utf-8"))
        if said.pop("version") != VERSION:
            return None
        tuples = {key: tuple(said[key]) for key in ("names", "classes", "notes", "masks")}
        skipped = tuple((str(name), str(why)) for name, why in said["skipped"])
        return Manifest(**{**said, **tuples, "skipped": skipped})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def restore(set_id: str, manifest: Manifest, source: Source) -> ImageSet | None:
    """The set of a manifest, with its arrays from disk; None if they are gone or do not fit."""
    folder, count = shelf() / set_id, len(manifest.names)
    try:
        labels, masked = (loaded(folder / f"{name}.npy") for name in ("labels", "masked"))
        fits = (
            labels.shape == masked.shape == (count,)
            and (folder / "thumbs.u8").stat().st_size == count * THUMB * THUMB * 3
        )
    except (OSError, ValueError):
        return None
    if not fits or (labels >= len(manifest.classes)).any():
        return None
    labels.flags.writeable = masked.flags.writeable = False
    said: dict[str, Any] = {
        key: getattr(manifest, key)
        for key in ("name", "title", "names", "classes", "skipped", "notes", "origin", "aliases", "unread")
    }
    return ImageSet(id=set_id, labels=labels, source=source, folder=folder, masked=masked, **said)


def array(set_id: str, name: str) -> npt.NDArray[Any] | None:
    """An array of a set beside those that every set has; None if it is gone or damaged."""
    try:
        return loaded(shelf() / set_id / f"{name}.npy")
    except (OSError, ValueError):
        return None


def renew(set_id: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Put other arrays in the place of those of a set: its files are the same, but have been written anew since."""
    for name, values in arrays.items():
        part = shelf() / set_id / f".{name}.npy"
        np.save(part, values, allow_pickle=False)
        part.replace(part.with_name(f"{name}.npy"))


def stamp(set_id: str) -> int:
    """Another number whenever something of a set has been put in another's place."""
    with suppress(OSError):
        return (shelf() / set_id).stat().st_mtime_ns
    return 0


def sign(set_id: str, signature: str) -> None:
    """Remember that what has this signature is this set, so that it need not be read again. `signature` is hex."""
    with suppress(OSError):
        (shelf() / set_id / f"{_SIGNED}{signature}").touch()


def signed(signature: str) -> str | None:
    """The id of the set that has this signature."""
    return next((file.parent.name for file in shelf().glob(f"*/{_SIGNED}{signature}") if is_id(file.parent.name)), None)


def touch(set_id: str) -> bool:
    """Say that a set is used now: what was used longest ago goes first. False if it is not there."""
    file = shelf() / set_id / "manifest.json"
    with suppress(OSError):  # a disk that may not be written to keeps the sets that it has
        os.utime(file)
    return file.is_file()


def make_room(size: int) -> None:
    """Delete what can no longer be read, then own sets, used longest ago first, until `size` bytes more fit. Built-in sets stay."""
    there = kept()
    known = {each.id for each in there}
    # By an older version, or damaged.
    spoilt = {folder.name: _bytes(folder) for folder in _folders() if folder.name not in known}
    over = sum(each.bytes for each in there) + sum(spoilt.values()) + size - limit()
    for set_id, freed in spoilt.items():
        if over > 0:
            forget(set_id)
            over -= freed
    for each in there:
        if over > 0 and each.kind != BUILT_IN:
            forget(each.id)
            over -= each.bytes


def kept() -> tuple[StoredSet, ...]:
    """What is on disk, used longest ago first."""
    found = []
    for folder in _folders():
        manifest = read_manifest(folder.name)
        if manifest is not None:
            found.append(_kept(folder, manifest))
    return tuple(sorted(found, key=lambda each: each.used))


def forget(set_id: str) -> bool:
    """Delete a set from disk; False if there is none."""
    if not is_id(set_id) or not (place := shelf() / set_id).is_dir():
        return False
    with suppress(OSError):  # out of the way at once, then deleted file by file
        place = place.rename(Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=shelf())) / set_id).parent
    shutil.rmtree(place, ignore_errors=True)
    return True


def limit() -> int:
    """Bytes that all kept sets may take together: WHYBOX_SETS_MB, or 20,000 MB."""
    wanted = settings.image_sets_mb()
    return (_DEFAULT_MB if wanted is None else wanted) * 2**20


def _kept(folder: Path, manifest: Manifest) -> StoredSet:
    used = 0.0
    with suppress(OSError):
        used = (folder / "manifest.json").stat().st_mtime
    return StoredSet(
        folder.name, manifest.kind, manifest.name, manifest.title, len(manifest.names), _bytes(folder), used
    )


def _bytes(folder: Path) -> int:
    with suppress(OSError):
        return sum(file.stat().st_size for file in folder.iterdir())
    return 0


def _folders() -> list[Path]:
    try:
        return [folder for folder in shelf().iterdir() if is_id(folder.name)]
    except OSError:
        return []


def _sweep() -> None:
    """Delete what a process that was killed has left unfinished."""
    for folder in shelf().glob(f"{_UNFINISHED}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _STALE_S:
                shutil.rmtree(folder, ignore_errors=True)
