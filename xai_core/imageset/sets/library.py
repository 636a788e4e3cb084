"""Sets of pictures: the built-in ones, own ones from a zip or a folder, and those that were read before.

A session holds ids only. What was used longest ago goes first; then its owner is asked to bring it again.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import defaultdict
from typing import IO, Any

from xai_core.engine import jobs, memory
from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.engine.lru_cache import Recent
from xai_core.images import LARGE_PIXELS
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.reading.folder_files import allowed_folder
from xai_core.imageset.reading.ingest import WORKERS
from xai_core.imageset.sets import disk as store
from xai_core.imageset.sets import uploaded as own
from xai_core.imageset.sets.builtin.spec import IMAGE_SETS
from xai_core.imageset.sets.disk import BUILT_IN, Manifest, StoredSet
from xai_core.imageset.sets.uploaded import read_folder, read_zip

_RECENT: Recent[ImageSet] = Recent(256 * memory.MB)
"""Own sets in memory, by id: names and labels, no pictures."""
_BUILT_IN: dict[str, ImageSet] = {}
_LOADING: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def load_set(name: str, job: Job[Any] | None = None) -> ImageSet:
    """A built-in set by its name in IMAGE_SETS; the same object every time.

    Raises UnknownName, and InvalidSet where what it is made of is not installed.
    """
    spec = IMAGE_SETS.get(name)
    with _LOADING[name]:
        found = _BUILT_IN.get(name)
        if found is None or not store.touch(found.id):
            found = _BUILT_IN[name] = spec.load(job)
        return found


def find_set(set_id: str) -> ImageSet | None:
    """The set of an id, from memory or from disk, also after a restart; None if it is not kept (any more)."""
    if not store.is_id(set_id) or not store.touch(set_id):
        return None
    found = _RECENT.get(_recent_key(set_id))
    if found is None:
        manifest = store.read_manifest(set_id)
        found = _reopened(set_id, manifest) if manifest is not None else None
    return found


def _recent_key(set_id: str) -> str:
    return f"{set_id} {store.stamp(set_id)}"


def _reopened(set_id: str, manifest: Manifest) -> ImageSet | None:
    if manifest.kind == BUILT_IN:
        spec = IMAGE_SETS.get(manifest.name) if manifest.name in IMAGE_SETS else None
        found = load_set(spec.name) if spec is not None and spec.available() else None
        return found if found is not None and found.id == set_id else None
    found = own.reopened(set_id, manifest)
    if found is not None:
        _RECENT.put(_recent_key(set_id), found, sum(map(len, found.names)) + 200 * len(found))
    return found


def list_sets() -> tuple[StoredSet, ...]:
    """The sets on disk, used longest ago first: for whoever runs the server. A page must not list what others have uploaded."""
    return store.kept()


def forget_set(set_id: str) -> bool:
    """Delete a set from memory and disk; False if there was none."""
    if store.is_id(set_id):
        _RECENT.pop(_recent_key(set_id))
    return store.forget(set_id)


# In the background

_POOL = JobPool("sets", workers=2, quick_workers=0, keep=16, timeout=CLOSED_TAB_S)
_COST = 1000.0
"""Reading a set is long work for the queue, however few its pictures are: that is not known before."""
_MEMORY = WORKERS * 12 * LARGE_PIXELS
"""Bytes: each thread holds a picture of four channels in up to three copies. Of larger pictures there is never more than one."""


def start_reading(source: str | os.PathLike[str] | IO[bytes], name: str = "", session_id: str = "") -> Job[ImageSet]:
    """Read a zip that is open in binary mode, or a folder or zip on the server by its path: the job to watch. Equal requests share one.

    A path must lie in a folder that WHYBOX_SETS names. Raises InvalidSet. An open file must stay open, and be
    read by nobody else, until the job has ended.
    """
    key = _key(source)
    at_path = isinstance(source, str | os.PathLike)  # what lies there may be another one now
    job = None if at_path else jobs.watch(key, session_id)
    if job is not None and job.result is not None and find_set(job.result.id) is not None:
        return job
    return _POOL.start(key, lambda job: _read(source, name, job), _COST, session_id, _MEMORY, restart=True)


def _read(source: str | os.PathLike[str] | IO[bytes], name: str, job: Job[ImageSet]) -> ImageSet:
    if not isinstance(source, str | os.PathLike):
        return read_zip(source, name, job)
    real = allowed_folder(source)
    return read_zip(real, name, job) if real.is_file() else read_folder(real, name, job)


def _key(source: str | os.PathLike[str] | IO[bytes]) -> str:
    """A path by itself, an upload by its bytes: two visitors may upload the same one."""
    if isinstance(source, str | os.PathLike):
        return f"path {allowed_folder(source)}"
    digest = hashlib.sha256()
    with own.opened(source) as stream:
        for piece in own.pieces(stream):
            digest.update(piece)
    return f"zip {digest.hexdigest()}"
