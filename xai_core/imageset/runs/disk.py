"""The shelf on disk where passes over sets lie: found again by content, written by one at a time, kept up to so many bytes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from xai_core import settings
from xai_core.engine.jobs import Job
from xai_core.engine.lru_cache import Recent
from xai_core.imageset.row_arrays import ArraySpec, map_arrays
from xai_core.imageset.runs.outputs import ModelOutputs
from xai_core.models.classifier import Classifier

VERSION = 2
"""Goes up when a pass over the same pictures would give other numbers: part of every id."""
_DEFAULT_MB = 10_000
_STALE_S = 14 * 24 * 3600.0
_ID = re.compile(r"[0-9a-f]{32}")
_LOOK_S = 0.2


@dataclass(frozen=True)
class About:
    """What about.json says of a pass: whose it is, and the sizes of its arrays."""

    set_id: str
    model: str
    layer: str
    corruption: str
    grid: tuple[int, int]
    count: int
    classes: int
    channels: int
    version: int = VERSION

    def columns(self) -> dict[str, ArraySpec]:
        """The arrays of a pass and the shape of one row of each."""
        wide = (self.channels,)
        return {
            "logits": ArraySpec("<f4", (self.classes,)),
            "pooled": ArraySpec("<f4", wide),
            "peak": ArraySpec("<f4", wide),
            "where": ArraySpec("<u2", wide),
            "failed": ArraySpec("|b1"),
        }


def pass_id(set_id: str, model: Classifier, layer: str, corruption: str) -> str:
    """32 hex digits for these pictures, these weights and what is done with both: equal content has an equal id on every computer."""
    said = (VERSION, set_id, model.weights_sha256, model.preprocessing, layer, corruption)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


_OPEN: Recent[ModelOutputs] = Recent(16)
"""Passes that were asked for lately, counted by number: they hold predictions, and arrays only as far as the system has room."""


def shelf() -> Path:
    """The folder of all passes. Not created here."""
    return settings.data_dir("imagesets") / "passes"


def workbench(key: str) -> Path:
    """The folder of a pass while it is written."""
    return shelf() / f"{key}.part"


def find_run(key: str) -> ModelOutputs | None:
    """The pass of an id, also one made before a restart; None if there is none (any more)."""
    if not isinstance(key, str) or not _ID.fullmatch(key):
        return None
    folder = shelf() / key
    found = _OPEN.get(str(folder))
    if found is None:
        found = _read(folder)
    if found is not None:
        _OPEN.put(str(folder), found, 1)
        with suppress(OSError):
            os.utime(folder / "about.json")  # what was used longest ago goes first
    return found


def forget_pass(key: str) -> None:
    """Delete a pass, and the memory of it: its maps would keep its bytes on the disk."""
    _OPEN.pop(str(shelf() / key))
    shutil.rmtree(shelf() / key, ignore_errors=True)


def settle(key: str, about: About) -> ModelOutputs:
    """Put a finished workbench on the shelf, and make room for it. Raises OSError."""
    folder = shelf() / key
    part = workbench(key)
    (part / "about.json").write_text(json.dumps(asdict(about)), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)  # whatever lies there could not be read
    part.replace(folder)
    make_room(keep=key)
    found = find_run(key)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    return found


@contextmanager
def alone(key: str, job: Job[Any]) -> Iterator[None]:
    """Only one thread of all processes works on a pass; the others wait, may be stopped, and then find it done. A kill gives it free."""
    shelf().mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(shelf() / f"{key}.lock")
    while True:
        with suppress(Timeout):
            lock.acquire(timeout=_LOOK_S)
            break
        job.tick()
    try:
        yield
    finally:
        lock.release()


def make_room(keep: str = "") -> None:
    """Delete the passes used longest ago while all together take more than WHYBOX_PASSES_MB, and what nobody went on with for weeks."""
    begun = 0
    for part in shelf().glob("*.part"):
        if time.time() - _used(part) > _STALE_S:
            shutil.rmtree(part, ignore_errors=True)
        else:
            begun += _bytes(part)
    wanted = settings.runs_mb()
    room = (_DEFAULT_MB if wanted is None else wanted) * 2**20
    kept = sorted(
        (folder for folder in shelf().iterdir() if _ID.fullmatch(folder.name)),
        key=lambda each: _used(each / "about.json"),
    )
    sizes = {folder: _bytes(folder) for folder in kept}
    for folder in kept:
        if begun + sum(sizes.values()) > room and folder.name != keep:
            forget_pass(folder.name)
            del sizes[folder]


def _read(folder: Path) -> ModelOutputs | None:
    try:
        said = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        about = About(**{**said, "grid": tuple(said["grid"])})
        arrays = map_arrays(folder, about.count, about.columns())
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if about.version != VERSION:
        return None
    return ModelOutputs(
        folder.name,
        about.set_id,
        about.model,
        about.layer,
        about.corruption,
        about.grid,
        logits=arrays["logits"],
        mean=arrays["pooled"],
        max=arrays["peak"],
        argmax=arrays["where"],
        unopened=arrays["failed"],
    )


def _used(file: Path) -> float:
    """When a file was written last, in seconds since 1970; 0 if it is not there."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _bytes(folder: Path) -> int:
    with suppress(OSError):
        return sum(file.stat().st_size for file in folder.iterdir())
    return 0
