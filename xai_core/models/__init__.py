"""The networks that can be explained: one file a family, loaded once per process and device."""

from __future__ import annotations

import torch

from xai_core.models import families  # noqa: F401  # registers the models
from xai_core.models.cache import ModelCache, choose_device
from xai_core.models.classifier import Classifier, Preprocessing
from xai_core.models.layers import Layer, list_layers
from xai_core.models.spec import MODELS, ModelSpec
from xai_core.models.weights import Progress, WeightsFile

__all__ = [
    "MODELS",
    "Classifier",
    "Layer",
    "ModelSpec",
    "Preprocessing",
    "WeightsFile",
    "find_model",
    "list_layers",
    "load_model",
    "models_in_memory",
]

MAX_OWN_IN_MEMORY = 4
_CACHE = ModelCache()
# Own models share most weights with a bundled one, but each has compiled graphs of its own.
_OWN_CACHE = ModelCache(lambda: MAX_OWN_IN_MEMORY)


def _cache_of(name: str) -> ModelCache:
    return _OWN_CACHE if MODELS.is_own(name) else _CACHE


def load_model(name: str, device: torch.device | str | None = None, progress: Progress | None = None) -> Classifier:
    """Return the model of this name on a device (None: CUDA, else MPS, else CPU), built once per process.

    `progress` gets (bytes, total).

    Raises UnknownName, InvalidParam (no such device) or ModelUnavailable (weights missing and out of reach, with what
    to do).

    >>> load_model("small_cnn").side
    28
    """
    return _cache_of(name).get(MODELS.get(name), choose_device(device), progress)


def find_model(name: str) -> Classifier | None:
    """Return the model of this name on the best device if it is in memory; nothing is loaded."""
    return _cache_of(name).find(name, choose_device(None))


def models_in_memory() -> tuple[str, ...]:
    """Return the names of the models in memory, without own ones: whoever knows the name of one may use it."""
    return tuple(dict.fromkeys(name for name, _device in _CACHE.list_keys()))
