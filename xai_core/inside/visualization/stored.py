"""Finished visualizations on disk, found again by their plan: weights, units, settings, seed and start."""

from __future__ import annotations

import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

from PIL import Image

from xai_core import settings
from xai_core.engine.disk_cache import DiskCache
from xai_core.engine.jobs import Job
from xai_core.engine.lru_cache import LRUCache
from xai_core.inside.visualization.visualize import Visualization, VisualizationPlan, run_visualization

log = logging.getLogger(__name__)

# Raised when the same plan would give other pictures.
VERSION = 1
# A picture of 256 pixels a side takes about 150 kB.
_LIMIT = 200 * 2**20
_ARRAY_FIELDS = ("scores", "curve", "size")
# Counted by number: one takes at most a few megabytes.
_RECENT: LRUCache[Visualization] = LRUCache(32)


def find_visualization(planned: VisualizationPlan) -> Visualization | None:
    """Return the stored pictures of a plan, also those made before a restart; None if there are none."""
    folder = _cache().path(planned.id)
    result = _RECENT.get(str(folder)) or _read(folder)
    if result is not None:
        _RECENT.put(str(folder), result, 1)
        _cache().touch(planned.id)
    return result


def load_visualization(planned: VisualizationPlan, job: Job[Any]) -> Visualization:
    """Return the stored pictures of a plan, or make them and store them. Raises Cancelled."""
    result = find_visualization(planned)
    if result is None:
        result = run_visualization(planned, job)
        _store(planned.id, result)
    return result


def _cache() -> DiskCache:
    root = settings.data_dir("visualizations")
    return DiskCache(root, _LIMIT, VERSION, on_forget=lambda key: _RECENT.pop(str(root / key)))


def _store(key: str, result: Visualization) -> None:
    record = {field.name: getattr(result, field.name) for field in fields(result) if field.name != "pictures"}
    try:
        with _cache().staging() as folder:
            for number, picture in enumerate(result.pictures):
                picture.save(_picture_file(folder, number))
            _cache().commit(folder, key, record)
    except OSError as error:
        log.warning("a visualization is not stored: %s", error)


def _read(folder: Path) -> Visualization | None:
    record = _cache().read(folder.name)
    if record is None:
        return None
    try:
        numbers: dict[str, Any] = {name: tuple(record[name]) for name in _ARRAY_FIELDS}
        pictures = tuple(_read_picture(_picture_file(folder, number)) for number in range(len(numbers["scores"])))
        rest = {
            field.name: record[field.name]
            for field in fields(Visualization)
            if field.name not in ("pictures", *_ARRAY_FIELDS)
        }
        return Visualization(pictures=pictures, **numbers, **rest)
    # Damaged, or of another form.
    except (OSError, ValueError, KeyError, TypeError, SyntaxError):
        _cache().forget(folder.name)
        return None


def _picture_file(folder: Path, number: int) -> Path:
    return folder / f"{number}.png"


def _read_picture(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        return picture.copy()
