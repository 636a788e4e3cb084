"""Runs on disk: found again by content, written by one at a time, kept up to a limit of bytes."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from xai_core import settings
from xai_core.engine.disk_cache import DiskCache
from xai_core.engine.lru_cache import LRUCache
from xai_core.images.resize import VERSION as RESIZE_VERSION
from xai_core.imageset.row_arrays import ArraySpec, map_arrays
from xai_core.imageset.runs.outputs import ModelOutputs
from xai_core.models.classifier import Classifier

# Part of every id; raised when a run over the same pictures would give other numbers.
VERSION = 2
_DEFAULT_MB = 10_000
_ID = re.compile(r"[0-9a-f]{32}")


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
    content = (VERSION, RESIZE_VERSION, set_id, model.weights_sha256, model.preprocessing, layer, corruption)
    return hashlib.sha256(repr(content).encode()).hexdigest()[:32]


# Runs used lately, counted by number: they hold predictions, and arrays only as far as the system has room.
_RECENT: LRUCache[ModelOutputs] = LRUCache(16)


def cache() -> DiskCache:
    """Return the disk cache of runs: WHYBOX_PASSES_MB, or 10,000 MB."""
    root, limit_mb = settings.data_dir("imagesets") / "passes", settings.runs_mb()
    limit = (_DEFAULT_MB if limit_mb is None else limit_mb) * 2**20
    # The mapped arrays of a run in memory would keep its bytes on the disk.
    return DiskCache(root, limit, VERSION, on_forget=lambda run_id: _RECENT.pop(str(root / run_id)))


def find_run(run_id: str) -> ModelOutputs | None:
    """Return the run of an id, also one made before a restart; None if there is none (any more)."""
    if not isinstance(run_id, str) or not _ID.fullmatch(run_id):
        return None
    folder = cache().path(run_id)
    run = _RECENT.get(str(folder)) or _read(folder)
    if run is not None:
        _RECENT.put(str(folder), run, 1)
        cache().touch(run_id)
    return run


def commit(run_id: str, metadata: RunMetadata) -> ModelOutputs:
    """Move a finished staging folder into place, and make room for it. Raises OSError."""
    # Whatever lies there could not be read.
    cache().forget(run_id)
    folder = cache().commit(cache().resumable(run_id), run_id, asdict(metadata))
    run = find_run(run_id)
    if run is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    return run


def _read(folder: Path) -> ModelOutputs | None:
    try:
        values = cache().read(folder.name) or {}
        metadata = RunMetadata(**{**values, "grid": tuple(values["grid"])})
        arrays = map_arrays(folder, metadata.count, metadata.array_specs())
    except (OSError, ValueError, TypeError, KeyError):
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
