"""Dissections on disk, found again by weights, layer and probe."""

from __future__ import annotations

import hashlib
import logging
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from xai_core import settings
from xai_core.engine.disk_cache import DiskCache
from xai_core.engine.jobs import Job
from xai_core.engine.lru_cache import LRUCache
from xai_core.images.resize import VERSION as RESIZE_VERSION
from xai_core.inside.dissection.dissect import Dissection, UnitLabel, dissect
from xai_core.inside.probes import ConceptProbe
from xai_core.models.classifier import Classifier

log = logging.getLogger(__name__)

# Raised when a dissection of the same weights and pictures would give other numbers.
VERSION = 1
_LIMIT = 200 * 2**20
_ARRAYS = "arrays.npz"
_FIELDS = ("thresholds", "iou", "reachable", "areas", "top")
_NUMBERS = ("iou", "reachable", "low", "high", "precision", "chance", "p", "saturated")
# Counted by number: one takes some hundred kilobytes.
_RECENT: LRUCache[Dissection] = LRUCache(32)


def find_dissection(model: Classifier, layer: str, probe: ConceptProbe) -> Dissection | None:
    """Return the stored dissection of a layer, also one made before a restart; None if there is none."""
    if not probe.key:
        return None
    key = _make_id(model, layer, probe)
    result = _RECENT.get(str(_cache().path(key))) or _read(_cache().path(key))
    if result is not None:
        _RECENT.put(str(_cache().path(key)), result, 1)
        _cache().touch(key)
    return result


def load_dissection(model: Classifier, layer: str, probe: ConceptProbe, job: Job[Any] | None = None) -> Dissection:
    """Return the stored dissection of a layer, or make it and store it. Raises as `dissect` does.

    A probe without a key, of pictures that exist in memory only, is dissected anew each time.
    """
    result = find_dissection(model, layer, probe)
    if result is None:
        result = dissect(model, layer, probe, job)
        if probe.key:
            _store(_make_id(model, layer, probe), result)
    return result


def _cache() -> DiskCache:
    root = settings.data_dir("dissections")
    return DiskCache(root, _LIMIT, VERSION, on_forget=lambda key: _RECENT.pop(str(root / key)))


def _make_id(model: Classifier, layer: str, probe: ConceptProbe) -> str:
    record = model.layer(layer)
    content = (VERSION, RESIZE_VERSION, model.weights_sha256, model.preprocessing, record.alias_of or record.name)
    return hashlib.sha256(repr((*content, probe.key)).encode()).hexdigest()[:32]


def _store(key: str, result: Dissection) -> None:
    arrays = {name: getattr(result, name) for name in _FIELDS}
    known = {concept: row for row, concept in enumerate(result.concepts)}
    arrays["label_concepts"] = np.array([known.get(label.concept or "", -1) for label in result.labels])
    arrays["label_numbers"] = np.array([[getattr(label, name) for name in _NUMBERS] for label in result.labels])
    arrays["label_passes"] = np.array([label.passes for label in result.labels])
    record = {
        "model": result.model,
        "layer": result.layer,
        "probe": result.probe,
        "concepts": result.concepts,
        "pictures": result.pictures,
        "held_out": result.held_out,
        "shuffled_detectors": result.shuffled_detectors,
    }
    try:
        with _cache().staging() as folder:
            np.savez(folder / _ARRAYS, **arrays)
            _cache().commit(folder, key, record)
    except OSError as error:
        log.warning("a dissection is not stored: %s", error)


def _read(folder: Path) -> Dissection | None:
    record = _cache().read(folder.name)
    if record is None:
        return None
    try:
        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            values = {name: arrays[name] for name in _FIELDS}
            rows, numbers, passes = (arrays[f"label_{name}"] for name in ("concepts", "numbers", "passes"))
        concepts = tuple(record["concepts"])
        labels = tuple(
            UnitLabel(
                unit=unit,
                concept=None if row < 0 else concepts[row],
                passes=passed,
                **dict(zip(_NUMBERS, entries, strict=True)),
            )
            for unit, (row, entries, passed) in enumerate(
                zip(rows.tolist(), numbers.tolist(), passes.tolist(), strict=True)
            )
        )
        rest = {
            name: record[name] for name in ("model", "layer", "probe", "pictures", "held_out", "shuffled_detectors")
        }
        return Dissection(concepts=concepts, labels=labels, **values, **rest)
    # Damaged, or of another form.
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile):
        return None
