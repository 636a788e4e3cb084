"""Sets on disk: one folder each, written beside and renamed into place, so that a half-written one is never found.

A folder holds manifest.json, labels.npy, mask_rows.npy, thumbs.u8 (raw pixels) and what its files need to be read again.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core import settings
from xai_core.errors import InvalidSet
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.reading.folder_files import check_allowed, reopen_folder
from xai_core.imageset.reading.masks import FileSource
from xai_core.imageset.reading.zip_files import reopen_zip
from xai_core.imageset.record import BUILT_IN, FOLDER, VERSION, ZIP, SetRecord, no_masks
from xai_core.imageset.row_arrays import load_array
from xai_core.imageset.thumbnails import THUMBNAIL_BYTES

FULL = "The disk is full, or may not be written to, so this picture set cannot be kept. Make room and try again."
ZIP_NAME = "set.zip"
_STAGING, _SIGNATURE = ".new-", "signed-"
_STALE_S = 2 * 24 * 3600.0
_DEFAULT_MB = 20_000
_ID = re.compile(r"[0-9a-f]{24}")
_MANIFEST_KEYS = ("kind", "name", "title", "origin")
_OPTIONAL_KEYS = ("aliases", "root", "unread")
_MANIFEST_TUPLES = ("names", "classes", "notes")


@dataclass(frozen=True)
class StoredSet:
    """A set on disk: its size in bytes and its last use (seconds since 1970)."""

    id: str
    kind: str
    name: str
    title: str
    pictures: int
    bytes: int
    used: float


def cache_dir() -> Path:
    """Return the folder of all kept sets, which is not created here."""
    return settings.data_dir("imagesets") / "sets"


def is_id(text: object) -> bool:
    """Say if this can be the id of a set at all: ids come from links and become names of folders."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


# Write


@contextmanager
def staging_dir() -> Iterator[Path]:
    """Give a new folder to write a set in; it is deleted at the end if it is still there.

    Raises InvalidSet where the disk is full.
    """
    try:
        cache_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_stale()
        folder = Path(tempfile.mkdtemp(prefix=_STAGING, dir=cache_dir()))
    except OSError as error:
        raise InvalidSet(FULL) from error
    try:
        yield folder
    except OSError as error:
        raise InvalidSet(FULL) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def commit(folder: Path, record: SetRecord) -> None:
    """Write a record into a staging folder with the thumbnails, and move it into place, unless it is there."""
    arrays = {"labels": record.labels, "mask_rows": record.masks, **record.file_index}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    values = {key: getattr(record, key) for key in (*_MANIFEST_KEYS, *_OPTIONAL_KEYS, *_MANIFEST_TUPLES, "skipped")}
    manifest = {**values, "masks": record.mask_names, "version": VERSION}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    place = cache_dir() / record.id
    try:
        folder.rename(place)
    except OSError:
        # Another thread or process may have been quicker.
        if not place.exists():
            raise


def commit_files(folder: Path, record: SetRecord, signature: str) -> ImageSet:
    """Keep an ingested set, unless the same one is kept already, under a signature (hex) of its files; return it."""
    if open_set(record.id) is None:
        forget(record.id)
        evict(sum(file.stat().st_size for file in folder.iterdir()))
        commit(folder, record)
    elif record.kind != ZIP:
        # The same pictures, but their files may have been written anew since.
        _replace_arrays(record.id, record.file_index)
    with suppress(OSError):
        (cache_dir() / record.id / f"{_SIGNATURE}{signature}").touch()
    result = open_set(record.id)
    if result is None:
        raise InvalidSet(FULL)
    return result


def _replace_arrays(set_id: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    for name, values in arrays.items():
        part = cache_dir() / set_id / f".{name}.npy"
        np.save(part, values, allow_pickle=False)
        part.replace(part.with_name(f"{name}.npy"))


# Find


def open_set(set_id: str) -> ImageSet | None:
    """Return a kept set whose pictures are files; None if it is gone, damaged, or its folder may no longer be read."""
    record = read_record(set_id)
    if record is None:
        return None
    folder = cache_dir() / set_id
    if record.kind == ZIP:
        files = reopen_zip(folder / ZIP_NAME, record.file_names, record.file_index.get("members"))
    elif record.kind == FOLDER and not _is_allowed(record.root):
        files = None
    else:
        files = reopen_folder(Path(record.root), record.file_names, record.file_index.get("stats"))
    return ImageSet(record, FileSource(files, record.masks), folder) if files is not None else None


def find_by_signature(signature: str) -> ImageSet | None:
    """Return the kept set of files with this signature, and mark it as used."""
    ids = (file.parent.name for file in cache_dir().glob(f"*/{_SIGNATURE}{signature}"))
    set_id = next(filter(is_id, ids), None)
    if set_id is None or _read_manifest(set_id) is None or not touch(set_id):
        return None
    return open_set(set_id)


def read_record(set_id: str) -> SetRecord | None:
    """Return the record of a kept set with its arrays; None if they are gone or do not fit."""
    manifest = _read_manifest(set_id)
    if manifest is None:
        return None
    folder, count = cache_dir() / set_id, len(manifest["names"])
    try:
        labels = load_array(folder / "labels.npy")
        # Sets without masks were kept without this array.
        masks_file = folder / "mask_rows.npy"
        masks = load_array(masks_file) if masks_file.exists() or manifest["kind"] != BUILT_IN else no_masks(count)
        fits = labels.shape == masks.shape == (count,)
        if not fits or (folder / "thumbs.u8").stat().st_size != count * THUMBNAIL_BYTES:
            return None
        if (labels >= len(manifest["classes"])).any():
            return None
        index_files = [file for name in ("members", "stats") if (file := folder / f"{name}.npy").exists()]
        file_index = {file.stem: load_array(file) for file in index_files}
    except (OSError, ValueError):
        return None
    return SetRecord(id=set_id, labels=labels, masks=masks, file_index=file_index, **manifest)


def _is_allowed(root: str) -> bool:
    try:
        check_allowed(root)
    except InvalidSet:
        return False
    return True


def _read_manifest(set_id: str) -> dict[str, Any] | None:
    """Return the fields of a record that manifest.json holds, or None if nothing sound is kept under this id."""
    try:
        manifest = json.loads((cache_dir() / set_id / "manifest.json").read_text(encoding="utf-8"))
        if manifest["version"] != VERSION:
            return None
        return {
            **{key: manifest[key] for key in _MANIFEST_KEYS},
            **{key: manifest[key] for key in _OPTIONAL_KEYS if key in manifest},
            **{key: tuple(manifest[key]) for key in _MANIFEST_TUPLES},
            "skipped": tuple((str(name), str(reason)) for name, reason in manifest["skipped"]),
            "mask_names": tuple(manifest["masks"]),
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


# Use, list and delete


def change_time(set_id: str) -> int:
    """Return a number that changes whenever a file of a set is replaced."""
    with suppress(OSError):
        return (cache_dir() / set_id).stat().st_mtime_ns
    return 0


def touch(set_id: str) -> bool:
    """Mark a set as used now: what was used longest ago goes first. Return False if it is not there."""
    file = cache_dir() / set_id / "manifest.json"
    # A disk that may not be written to keeps the sets that it has.
    with suppress(OSError):
        os.utime(file)
    return file.is_file()


def evict(size: int) -> None:
    """Delete unreadable sets, then own sets, used longest ago first, until `size` bytes more fit. Built-in sets stay."""
    stored = list_stored()
    readable = {item.id for item in stored}
    # By an older version, or damaged.
    unreadable = {folder.name: _folder_bytes(folder) for folder in _folders() if folder.name not in readable}
    excess = sum(item.bytes for item in stored) + sum(unreadable.values()) + size - max_bytes()
    for set_id, freed in unreadable.items():
        if excess > 0:
            forget(set_id)
            excess -= freed
    for item in stored:
        if excess > 0 and item.kind != BUILT_IN:
            forget(item.id)
            excess -= item.bytes


def list_stored() -> tuple[StoredSet, ...]:
    """Return all kept sets, used longest ago first."""
    stored = []
    for folder in _folders():
        manifest = _read_manifest(folder.name)
        if manifest is not None:
            used = 0.0
            with suppress(OSError):
                used = (folder / "manifest.json").stat().st_mtime
            kind, name, title = (manifest[key] for key in ("kind", "name", "title"))
            size = _folder_bytes(folder)
            stored.append(StoredSet(folder.name, kind, name, title, len(manifest["names"]), size, used))
    return tuple(sorted(stored, key=lambda item: item.used))


def forget(set_id: str) -> bool:
    """Delete a set; return False if there is none."""
    if not is_id(set_id) or not (place := cache_dir() / set_id).is_dir():
        return False
    # Out of the way at once, then deleted file by file.
    with suppress(OSError):
        place = place.rename(Path(tempfile.mkdtemp(prefix=_STAGING, dir=cache_dir())) / set_id).parent
    shutil.rmtree(place, ignore_errors=True)
    return True


def check_size(size: int) -> None:
    """Raise InvalidSet for a set that is larger than all kept sets may be together."""
    if size > max_bytes():
        raise InvalidSet(
            f"This set is too large to keep: all sets together may take {max_bytes() / 2**30:.1f} GB on this computer. "
            f"Leave pictures out, or save them smaller. Got {size / 2**30:.1f} GB."
        )


def max_bytes() -> int:
    """Return the bytes that all kept sets may take together: WHYBOX_SETS_MB, or 20,000 MB."""
    limit = settings.image_sets_mb()
    return (_DEFAULT_MB if limit is None else limit) * 2**20


def _folder_bytes(folder: Path) -> int:
    with suppress(OSError):
        return sum(file.stat().st_size for file in folder.iterdir())
    return 0


def _folders() -> list[Path]:
    try:
        return [folder for folder in cache_dir().iterdir() if is_id(folder.name)]
    except OSError:
        return []


def _remove_stale() -> None:
    """Delete what a process that was killed has left unfinished."""
    for folder in cache_dir().glob(f"{_STAGING}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _STALE_S:
                shutil.rmtree(folder, ignore_errors=True)
