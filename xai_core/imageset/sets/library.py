"""Sets of pictures by name or id: the built-in ones, and own ones that are read in the background and kept.

A session holds ids only. What was used longest ago is deleted first; then its owner is asked to bring it again.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

from xai_core.engine import jobs, memory
from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.engine.lru_cache import LRUCache
from xai_core.images import LARGE_PIXELS
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.reading.ingest import WORKERS
from xai_core.imageset.record import BUILT_IN
from xai_core.imageset.sets import disk
from xai_core.imageset.sets.builtin.spec import IMAGE_SETS
from xai_core.imageset.sets.disk import StoredSet
from xai_core.imageset.sets.uploaded import ZipSource, read_source, source_key

# Own sets in memory, by id: names and labels, no pictures.
_RECENT: LRUCache[ImageSet] = LRUCache(256 * memory.MB)
_BUILT_IN: dict[str, ImageSet] = {}
_LOADING: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_POOL = JobPool("sets", workers=2, quick_workers=0, keep=16, timeout=CLOSED_TAB_S)
# Reading a set is long work for the queue: its number of pictures is not known before.
_COST = 1000.0
# Bytes: each thread holds a picture of four channels in up to three copies. Of larger pictures only one is open.
_MEMORY = WORKERS * 12 * LARGE_PIXELS


def load_set(name: str, job: Job[Any] | None = None) -> ImageSet:
    """Return a built-in set by its name in IMAGE_SETS; the same object every time.

    Raises UnknownName, and InvalidSet where what it is made of is not installed.
    """
    spec = IMAGE_SETS.get(name)
    with _LOADING[name]:
        dataset = _BUILT_IN.get(name)
        cache = disk.cache()
        # A set of another data folder has the same id, and its files may be gone.
        if dataset is None or dataset.folder != cache.path(dataset.id) or not cache.touch(dataset.id):
            dataset = _BUILT_IN[name] = spec.load(job)
        return dataset


def find_set(set_id: str) -> ImageSet | None:
    """Return the set of an id, from memory or from disk, also after a restart; None if it is not kept (any more)."""
    if not disk.is_id(set_id) or not disk.cache().touch(set_id):
        return None
    key = _recent_key(set_id)
    dataset = _RECENT.get(key)
    if dataset is not None:
        return dataset
    record = disk.read_record(set_id)
    if record is None:
        return None
    if record.kind == BUILT_IN:
        spec = IMAGE_SETS.get(record.name) if record.name in IMAGE_SETS else None
        dataset = load_set(spec.name) if spec is not None and spec.available() else None
        return dataset if dataset is not None and dataset.id == set_id else None
    dataset = disk.open_set(set_id)
    if dataset is not None:
        _RECENT.put(key, dataset, sum(map(len, dataset.names)) + 200 * len(dataset))
    return dataset


def list_sets() -> tuple[StoredSet, ...]:
    """Return the sets on disk, used longest ago first: for whoever runs the server, not for a page of one visitor."""
    return disk.list_sets()


def forget_set(set_id: str) -> bool:
    """Delete a set from memory and disk; return False if there was none."""
    if disk.is_id(set_id):
        _RECENT.pop(_recent_key(set_id))
    return disk.cache().forget(set_id)


def start_reading(source: ZipSource, name: str = "", session_id: str = "") -> Job[ImageSet]:
    """Read a zip that is open in binary mode, or a folder or zip on the server by its path, as a job to watch.

    Equal requests share one. A path must lie in a folder that WHYBOX_SETS names. Raises InvalidSet. An open file must
    stay open, and be read by nobody else, until the job has ended.
    """
    key = source_key(source)
    # What lies at a path may be another file now; an upload of the same bytes is the same set.
    job = jobs.watch(key, session_id) if key.startswith("zip ") else None
    if job is not None and job.result is not None and find_set(job.result.id) is not None:
        return job
    return _POOL.start(key, lambda job: read_source(source, name, job), _COST, session_id, _MEMORY, restart=True)


def _recent_key(set_id: str) -> str:
    return f"{set_id} {disk.change_time(set_id)}"
