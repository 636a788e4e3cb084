"""Translated networks on disk: translating takes seconds, reading none.

Each is an .xml file with its weights in a .bin beside it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from xai_core import settings
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer

log = logging.getLogger(__name__)

DAMAGED = "The translated network %s, which was kept on disk, is damaged and is made anew: %s"
_FEATURES_VERSION = "tap 2"
"""Changed when a network with features gives other rows than before: files are found by it."""


def graph_file(model: Classifier, layer: Layer | None, shape: tuple[int, ...]) -> Path:
    """Return the path of the translated network for inputs of this shape, whether or not it exists."""
    import openvino

    key = f"{model.weights_sha256} {shape} {openvino.__version__} {torch.__version__}"
    key += f" {layer.name} {model.preprocessing} {_FEATURES_VERSION}" if layer else ""
    return settings.data_dir("openvino") / f"{model.name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.xml"


def read_graph(file: Path) -> Any:
    """Read a translated network; None where there is none, or where it is damaged."""
    import openvino

    if not (file.exists() and file.with_suffix(".bin").exists()):
        return None
    try:
        return openvino.Core().read_model(file)
    except RuntimeError as problem:
        log.warning(DAMAGED, file.name, problem)
        return None


def save_graph(graph: Any, file: Path) -> None:
    """Write under another name first: a process that dies half-way leaves no file that reads as whole."""
    import openvino

    staged = file.with_name(f"{threading.get_ident()}-{time.monotonic_ns()}.part.xml")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        openvino.save_model(graph, staged, compress_to_fp16=False)
        staged.with_suffix(".bin").replace(file.with_suffix(".bin"))
        staged.replace(file)
    # A full or read-only disk costs seconds at the next start, nothing else.
    except (OSError, RuntimeError) as problem:
        log.warning("The translated network could not be kept on disk: %s", problem)
    finally:
        delete_graph(staged)


def delete_graph(file: Path) -> None:
    """Delete a translated network and its weights, as far as they exist."""
    for path in (file, file.with_suffix(".bin")):
        with suppress(OSError):
            path.unlink(missing_ok=True)
