"""Readings on disk: pooled activations of ideas and gradients of a class, found again by weights and pictures."""

from __future__ import annotations

import hashlib
import logging
import zipfile
from collections.abc import Callable, Mapping

import numpy as np

from xai_core import settings
from xai_core.arrays import Float64
from xai_core.engine.disk_cache import DiskCache
from xai_core.images.resize import VERSION as RESIZE_VERSION
from xai_core.inside.probes.generated import VERSION as PATTERNS_VERSION
from xai_core.models.classifier import Classifier

log = logging.getLogger(__name__)

# Raised when a reading of the same weights and pictures would give other numbers.
VERSION = 1
_LIMIT = 200 * 2**20
_ARRAYS = "arrays.npz"
# Values (pictures, channels) by the name of what is read, and by layer.
Readings = Mapping[str, Mapping[str, Float64]]


def load_readings(model: Classifier, source: tuple[object, ...], make: Callable[[], Readings]) -> Readings:
    """Return the stored readings of a source, also those made before a restart; else make and store them.

    `source` names pictures that stay the same, such as those of a set, and what is read, by values with a `repr` that
    stays the same too. Network outputs are single precision, so nothing is lost on disk.
    """
    content = (VERSION, RESIZE_VERSION, PATTERNS_VERSION, model.weights_sha256, model.preprocessing, *source)
    key = hashlib.sha256(repr(content).encode()).hexdigest()[:32]
    stored = _read(key)
    if stored is not None:
        return stored
    readings = make()
    _store(key, readings)
    return readings


def _cache() -> DiskCache:
    return DiskCache(settings.data_dir("readings"), _LIMIT, VERSION)


def _store(key: str, readings: Readings) -> None:
    places = [(name, layer) for name, values in readings.items() for layer in values]
    arrays = {str(place): np.float32(readings[name][layer]) for place, (name, layer) in enumerate(places)}
    try:
        with _cache().staging() as folder:
            np.savez(folder / _ARRAYS, allow_pickle=False, **arrays)
            _cache().commit(folder, key, {"places": places})
    except OSError as error:
        log.warning("readings of ideas are not stored: %s", error)


def _read(key: str) -> Readings | None:
    record = _cache().read(key)
    if record is None:
        return None
    readings: dict[str, dict[str, Float64]] = {}
    try:
        with np.load(_cache().path(key) / _ARRAYS, allow_pickle=False) as arrays:
            for place, (name, layer) in enumerate(record["places"]):
                readings.setdefault(name, {})[layer] = arrays[str(place)].astype(np.float64)
    # Damaged, or of another form: out of the way of what is made anew.
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        _cache().forget(key)
        return None
    _cache().touch(key)
    return readings
