"""Translated networks on disk: translating takes seconds, reading none.

Each is a folder with network.xml and its weights in network.bin.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import torch

from xai_core import settings
from xai_core.engine.disk_cache import DiskCache
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer

log = logging.getLogger(__name__)

DAMAGED = "The translated network of %s, which was kept on disk, is damaged and is made anew: %s"
FILE_NAME = "network.xml"
VERSION = 1
# Changed when a network with features gives other rows than before: folders are found by it.
_FEATURES_VERSION = "tap 2"
# Changed when a traced gradient becomes another graph than before.
_GRADIENT_VERSION = "gradient 1"
_DEFAULT_MB = 4_000


def cache() -> DiskCache:
    """Return the disk cache of translated networks: WHYBOX_NETWORKS_MB, or 4,000 MB."""
    limit_mb = settings.networks_mb()
    return DiskCache(settings.data_dir("openvino"), (_DEFAULT_MB if limit_mb is None else limit_mb) * 2**20, VERSION)


def graph_id(model: Classifier, layer: Layer | None, shape: tuple[int, ...]) -> str:
    """Return the id of the translated network for inputs of this shape, whether or not it is kept."""
    import openvino

    key = f"{model.weights_sha256} {shape} {openvino.__version__} {torch.__version__}"
    key += f" {layer.name} {model.preprocessing} {_FEATURES_VERSION}" if layer else ""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def gradient_graph_id(model: Classifier, shape: tuple[int, ...], layer: Layer | None = None) -> str:
    """Return the id of the translated gradient for pictures of this shape, (N, C, H, W), by them or by a layer's maps,
    whether or not it is kept.
    """
    import openvino

    key = f"{model.weights_sha256} {shape} {openvino.__version__} {torch.__version__} {_GRADIENT_VERSION}"
    key += f" {layer.name}" if layer else ""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def is_stored(key: str) -> bool:
    """Return whether a translated network of this id is kept."""
    return cache().read(key) is not None


def read_graph(key: str, name: str) -> Any:
    """Read the translated network of a model called `name`; None where there is none, or where it is damaged."""
    import openvino

    if not is_stored(key):
        return None
    cache().touch(key)
    try:
        return openvino.Core().read_model(cache().path(key) / FILE_NAME)
    except RuntimeError as problem:
        log.warning(DAMAGED, name, problem)
        cache().forget(key)
        return None


def save_graph(graph: Any, key: str, name: str) -> None:
    """Keep a translated network; a full or read-only disk costs seconds at the next start, nothing else."""
    import openvino

    try:
        # Networks of earlier versions lie loose beside the folders.
        for file in (*cache().root.glob("*.xml"), *cache().root.glob("*.bin")):
            file.unlink(missing_ok=True)
        with cache().staging() as folder:
            openvino.save_model(graph, folder / FILE_NAME, compress_to_fp16=False)
            cache().commit(folder, key, {"model": name})
    except (OSError, RuntimeError) as problem:
        log.warning("The translated network could not be kept on disk: %s", problem)


def delete_graph(key: str) -> None:
    """Delete a translated network, if it is kept."""
    cache().forget(key)
