"""Sets on disk: one folder each, written beside and renamed into place, so that a half-written one is never found.

A folder holds manifest.json, labels.npy, mask_rows.npy, thumbs.u8 (raw pixels) and what its files need to be read
again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core import settings
from xai_core.engine.disk_cache import DiskCache
from xai_core.errors import InvalidSet
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.reading.file_roles import Files
from xai_core.imageset.reading.file_source import FileSource
from xai_core.imageset.reading.folder_files import reopen_folder
from xai_core.imageset.reading.zip_files import reopen_zip
from xai_core.imageset.record import BUILT_IN, FOLDER, VERSION, ZIP, SetRecord, no_masks
from xai_core.imageset.row_arrays import load_array
from xai_core.imageset.thumbnails import THUMBNAIL_BYTES

FULL = "The disk is full, or may not be written to, so this picture set cannot be kept. Make room and try again."
ZIP_NAME = "set.zip"
_SIGNATURE = "signed-"
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


def cache() -> DiskCache:
    """Return the disk cache of image sets, of which built-in ones are never evicted."""
    root = settings.data_dir("imagesets") / "sets"
    return DiskCache(root, max_bytes(), VERSION, "manifest.json", lambda record: record.get("kind") == BUILT_IN)


def is_id(text: object) -> bool:
    """Say if this can be the id of a set at all: ids come from links and become names of folders."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


# Write


@contextmanager
def staging_dir() -> Iterator[Path]:
    """Give a new folder to write a set in, deleted at the end unless committed. Raises InvalidSet on a full disk."""
    try:
        with cache().staging() as folder:
            yield folder
    except OSError as error:
        raise InvalidSet(FULL) from error


def commit(folder: Path, record: SetRecord) -> None:
    """Write a record into a staging folder with the thumbnails, and move it into place, unless it is there."""
    arrays = {"labels": record.labels, "mask_rows": record.masks, **record.file_index}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    values = {key: getattr(record, key) for key in (*_MANIFEST_KEYS, *_OPTIONAL_KEYS, *_MANIFEST_TUPLES)}
    files = {"skipped": record.skipped_files, "masks": record.mask_names}
    cache().commit(folder, record.id, {**values, **files})


def commit_files(folder: Path, record: SetRecord, signature: str) -> ImageSet:
    """Keep an ingested set, unless the same one is kept already, under a signature (hex) of its files; return it."""
    if open_set(record.id) is None:
        cache().forget(record.id)
        commit(folder, record)
    elif record.kind != ZIP:
        # The same pictures, but their files may have been written anew since.
        _replace_arrays(record.id, record.file_index)
    with suppress(OSError):
        (cache().root / record.id / f"{_SIGNATURE}{signature}").touch()
    result = open_set(record.id)
    if result is None:
        raise InvalidSet(FULL)
    return result


def _replace_arrays(set_id: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    for name, values in arrays.items():
        part = cache().root / set_id / f".{name}.npy"
        np.save(part, values, allow_pickle=False)
        part.replace(part.with_name(f"{name}.npy"))


# Find


def open_set(set_id: str) -> ImageSet | None:
    """Return a kept set whose pictures are files; None if it is gone, damaged, or its folder may no longer be read."""
    record = read_record(set_id)
    if record is None:
        return None
    folder = cache().root / set_id
    files: Files | None
    if record.kind == ZIP:
        files = reopen_zip(folder / ZIP_NAME, record.file_names, record.file_index.get("members"))
    else:
        stats = record.file_index.get("stats")
        files = reopen_folder(record.root, record.file_names, stats, must_be_allowed=record.kind == FOLDER)
    return ImageSet(record, FileSource(files, record.masks), folder) if files is not None else None


def find_by_signature(signature: str) -> ImageSet | None:
    """Return the kept set of files with this signature, and mark it as used."""
    ids = (file.parent.name for file in cache().root.glob(f"*/{_SIGNATURE}{signature}"))
    set_id = next(filter(is_id, ids), None)
    if set_id is None or _read_manifest(set_id) is None or not cache().touch(set_id):
        return None
    return open_set(set_id)


def read_record(set_id: str) -> SetRecord | None:
    """Return the record of a kept set with its arrays; None if they are gone or do not fit."""
    manifest = _read_manifest(set_id)
    if manifest is None:
        return None
    folder, count = cache().root / set_id, len(manifest["names"])
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


def _read_manifest(set_id: str) -> dict[str, Any] | None:
    """Return the fields of a record that manifest.json holds, or None if nothing sound is kept under this id."""
    return _parse_manifest(cache().read(set_id) or {})


def _parse_manifest(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the fields of a record from a manifest, or None if it is not sound."""
    try:
        return {
            **{key: manifest[key] for key in _MANIFEST_KEYS},
            **{key: manifest[key] for key in _OPTIONAL_KEYS if key in manifest},
            **{key: tuple(manifest[key]) for key in _MANIFEST_TUPLES},
            "skipped_files": tuple((str(name), str(reason)) for name, reason in manifest["skipped"]),
            "mask_names": tuple(manifest["masks"]),
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


# Use, list and delete


def change_time(set_id: str) -> int:
    """Return a number that changes whenever a file of a set is replaced."""
    with suppress(OSError):
        return (cache().root / set_id).stat().st_mtime_ns
    return 0


def list_sets() -> tuple[StoredSet, ...]:
    """Return all kept sets, the least recently used first."""
    stored = []
    for entry in cache().entries():
        manifest = _parse_manifest(entry.record)
        if manifest is not None:
            kind, name, title = (manifest[key] for key in ("kind", "name", "title"))
            stored.append(StoredSet(entry.id, kind, name, title, len(manifest["names"]), entry.bytes, entry.used))
    return tuple(stored)


def max_bytes() -> int:
    """Return the bytes that all kept sets may take together: WHYBOX_SETS_MB, or 20,000 MB."""
    limit = settings.image_sets_mb()
    return (_DEFAULT_MB if limit is None else limit) * 2**20
