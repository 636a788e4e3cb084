"""Runs on disk: found again by content, written by one at a time, kept up to a limit of bytes."""

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
"""Part of every id; raised when a run over the same pictures would give other numbers."""
_DEFAULT_MB = 10_000
_STALE_S = 14 * 24 * 3600.0
_ID = re.compile(r"[0-9a-f]{32}")
_POLL_S = 0.2


@dataclass(frozen=True)
class RunMetadata:
    """Contents of about.json: the set, model and layer of a run, and the sizes of its arrays."""

    set_id: str
    model: str
    layer: str
    corruption: str
    grid: tuple[int, int]
    count: int
    classes: int
    channels: int
    version: int = VERSION

    def array_specs(self) -> dict[str, ArraySpec]:
        """Return element type and row shape of each array, by the names of their files."""
        per_channel = (self.channels,)
        return {
            "logits": ArraySpec("<f4", (self.classes,)),
            "pooled": ArraySpec("<f4", per_channel),
            "peak": ArraySpec("<f4", per_channel),
            "where": ArraySpec("<u2", per_channel),
            "failed": ArraySpec("|b1"),
        }


def make_run_id(set_id: str, model: Classifier, layer: str, corruption: str) -> str:
    """Return 32 hex digits for these pictures, weights and steps: equal on every computer."""
    content = (VERSION, set_id, model.weights_sha256, model.preprocessing, layer, corruption)
    return hashlib.sha256(repr(content).encode()).hexdigest()[:32]


_RECENT: Recent[ModelOutputs] = Recent(16)
"""Runs used lately, counted by number: they hold predictions, and arrays only as far as the system has room."""


def cache_dir() -> Path:
    """Return the folder of all runs, which is not created here."""
    return settings.data_dir("imagesets") / "passes"


def staging_dir(run_id: str) -> Path:
    """Return the folder of a run while it is written."""
    return cache_dir() / f"{run_id}.part"


def find_run(run_id: str) -> ModelOutputs | None:
    """Return the run of an id, also one made before a restart; None if there is none (any more)."""
    if not isinstance(run_id, str) or not _ID.fullmatch(run_id):
        return None
    folder = cache_dir() / run_id
    run = _RECENT.get(str(folder))
    if run is None:
        run = _read(folder)
    if run is not None:
        _RECENT.put(str(folder), run, 1)
        # What was used longest ago goes first.
        with suppress(OSError):
            os.utime(folder / "about.json")
    return run


def forget_run(run_id: str) -> None:
    """Delete a run, and the memory of it: its mapped arrays would keep its bytes on the disk."""
    _RECENT.pop(str(cache_dir() / run_id))
    shutil.rmtree(cache_dir() / run_id, ignore_errors=True)


def commit(run_id: str, metadata: RunMetadata) -> ModelOutputs:
    """Move a finished staging folder into place, and make room for it. Raises OSError."""
    folder = cache_dir() / run_id
    part = staging_dir(run_id)
    (part / "about.json").write_text(json.dumps(asdict(metadata)), encoding="utf-8")
    # Whatever lies there could not be read.
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)
    evict(keep=run_id)
    run = find_run(run_id)
    if run is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    return run


@contextmanager
def exclusive(run_id: str, job: Job[Any]) -> Iterator[None]:
    """Let one thread of all processes work on a run; the others wait, may be cancelled, and then find it done.

    A kill sets it free.
    """
    cache_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(cache_dir() / f"{run_id}.lock")
    while True:
        with suppress(Timeout):
            lock.acquire(timeout=_POLL_S)
            break
        job.tick()
    try:
        yield
    finally:
        lock.release()


def evict(keep: str = "") -> None:
    """Delete runs used longest ago while all take more than WHYBOX_PASSES_MB, and unfinished ones left for weeks."""
    unfinished_bytes = 0
    for part in cache_dir().glob("*.part"):
        if time.time() - _change_time(part) > _STALE_S:
            shutil.rmtree(part, ignore_errors=True)
        else:
            unfinished_bytes += _folder_bytes(part)
    limit_mb = settings.runs_mb()
    limit = (_DEFAULT_MB if limit_mb is None else limit_mb) * 2**20
    folders = sorted(
        (folder for folder in cache_dir().iterdir() if _ID.fullmatch(folder.name)),
        key=lambda folder: _change_time(folder / "about.json"),
    )
    sizes = {folder: _folder_bytes(folder) for folder in folders}
    for folder in folders:
        if unfinished_bytes + sum(sizes.values()) > limit and folder.name != keep:
            forget_run(folder.name)
            del sizes[folder]


def _read(folder: Path) -> ModelOutputs | None:
    try:
        values = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        metadata = RunMetadata(**{**values, "grid": tuple(values["grid"])})
        arrays = map_arrays(folder, metadata.count, metadata.array_specs())
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if metadata.version != VERSION:
        return None
    return ModelOutputs(
        id=folder.name,
        set_id=metadata.set_id,
        model=metadata.model,
        layer=metadata.layer,
        corruption=metadata.corruption,
        grid=metadata.grid,
        logits=arrays["logits"],
        mean=arrays["pooled"],
        max=arrays["peak"],
        argmax=arrays["where"],
        unopened=arrays["failed"],
    )


def _change_time(file: Path) -> float:
    """Return the time of a file's last change in seconds since 1970; 0 if it is not there."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _folder_bytes(folder: Path) -> int:
    with suppress(OSError):
        return sum(file.stat().st_size for file in folder.iterdir())
    return 0
