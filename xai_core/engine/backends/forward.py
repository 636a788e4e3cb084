"""One fast forward pass per model, shared by every method that only needs outputs.

On a CPU the network is compiled by OpenVINO in float32, on CUDA it runs channels-last in torch. Either is compared with
plain torch when it is built; a backend that differs by more than 1e-3 in any logit is dropped, with a note for the
page. The micro-batch is measured, and a small network is compiled once more for batches of just that size, which is
quicker by a tenth.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import ref

import torch

from xai_core.engine import cores
from xai_core.engine.backends.calibration import (
    MAX_ERROR,
    gradient_batch_for,
    measure_error,
    measure_micro_batch,
    measure_seconds,
)
from xai_core.engine.backends.eager import build_eager_run
from xai_core.engine.backends.graph_files import DAMAGED, delete_graph, graph_id, is_stored
from xai_core.engine.backends.network import Run, example_input, weight_bytes
from xai_core.engine.backends.openvino import build_openvino_run
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER, Task
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer
from xai_core.object_cache import cache_per_object

log = logging.getLogger(__name__)

# Networks with more weights are compiled once only: large multiplications gain nothing from a fixed batch, and a copy
# takes memory.
MAX_FIXED_BYTES = 40 * 2**20
# Forwards with features that are kept for a model: each holds the network compiled once more.
MAX_FEATURE_FORWARDS = 2
REBUILD_AFTER_S = 10.0
SHORT_OF_MEMORY = (
    "The memory of the graphics card was too small for as many pictures at once as usual, so there are fewer at once. "
    "Results are the same, but come more slowly."
)
Builder = Callable[[Classifier], Run]
_ENGINE_ERRORS = (RuntimeError, ValueError, TypeError)


@dataclass(eq=False)
class Forward:
    """The logits (N, classes), float32 on the CPU, of prepared pictures (N, C, H, W); called with a batch and a job.

    Callers split their work into batches of `micro_batch`, so that jobs take turns. That of `forward_with_features`
    takes bytes.
    """

    run: Run
    backend: str
    make: Callable[[], Run]
    """Builds `run` anew after it has failed."""
    note: str = ""
    micro_batch: int = 8
    gradient_batch: int = 8
    seconds_per_picture: float = 0.0

    rebuilt_at: float = -float("inf")
    _rebuilding: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, batch: torch.Tensor, job: Job[Any] | None = None) -> Task[torch.Tensor]:
        """Queue a batch; `.wait()` on the task returns its logits. The next batch can be composed meanwhile."""
        return SCHEDULER.submit(self, batch, job)

    def __call__(self, batch: torch.Tensor, job: Job[Any] | None = None) -> torch.Tensor:
        return self.submit(batch, job).wait()

    def reduce_batch(self, size: int) -> None:
        """Take batches of at most half of `size` from now on, which did not fit into the device's memory."""
        self.micro_batch = max(1, min(self.micro_batch, size // 2))
        self.note = SHORT_OF_MEMORY

    def reduce_gradient_batch(self, size: int) -> None:
        """The same for gradients."""
        self.gradient_batch = max(1, min(self.gradient_batch, size // 2))
        self.note = SHORT_OF_MEMORY

    def rebuild(self) -> None:
        """Build `run` anew, unless that was done a moment ago: then the batch is to blame."""
        # Where two workers fail at once, the second waits for the new one.
        with self._rebuilding:
            if time.monotonic() - self.rebuilt_at > REBUILD_AFTER_S:
                self.rebuilt_at = time.monotonic()
                self.run = self.make()


def build_forward(model: Classifier, layer: Layer | None = None) -> Forward:
    """Build, check and measure the forward of a model.

    Never raises for a backend that fails: plain torch always works.
    """
    example = example_input(model, layer)
    build: Builder = partial(build_eager_run, layer=layer)
    run, backend, note = build(model), "torch", ""
    if model.device.type == "cpu":
        fast, note = _build_fast(model, layer)
        if fast is not None:
            run, backend, build = fast, "openvino", partial(build_openvino_run, layer=layer)
    with SCHEDULER.slot(), cores.limit(cores.CORES_PER_WORKER):
        micro_batch, seconds = measure_micro_batch(run, example)
    # The measured network keeps the memory of its largest batch: built anew, both together hold far less than that one
    # did.
    build_fixed = partial(build_openvino_run, layer=layer, batch_size=micro_batch)
    fixed = _build_fixed_batch(build_fixed, model, layer, micro_batch) if backend == "openvino" else None
    if fixed is not None:
        run, build = fixed, build_fixed
        with SCHEDULER.slot(), cores.limit(cores.CORES_PER_WORKER):
            seconds = measure_seconds(run, example, micro_batch)
    make = partial(_build_again, ref(model), build)
    return Forward(run, backend, make, note, micro_batch, gradient_batch_for(model), seconds / cores.WORKERS)


def _build_fast(model: Classifier, layer: Layer | None) -> tuple[Run | None, str]:
    """Return the compiled network; or None, and a note for the page, where it cannot run the model or differs from
    plain torch.

    If one that was read from disk fails or differs, the file may be to blame: it is translated anew, once.
    """
    build: Builder = partial(build_openvino_run, layer=layer)
    try:
        key = graph_id(model, layer, tuple(example_input(model, layer).shape))
        run = _build_from_file(build, model, layer) if is_stored(key) else None
        if run is not None:
            return run, ""
        run = build(model)
        error = measure_error(run, model, layer)
    except (ImportError, NotImplementedError, *_ENGINE_ERRORS) as problem:
        log.warning("OpenVINO cannot run %s: %s", model.name, problem)
        return None, "The fast engine cannot run this model, so it runs in plain torch, more slowly."
    if error <= MAX_ERROR:
        return run, ""
    # Kept, it would be taken for a damaged file at every start.
    delete_graph(key)
    return (
        None,
        f"The fast engine differs from plain torch by {error:.2g} on this model, so plain torch is used, more slowly.",
    )


def _build_from_file(build: Builder, model: Classifier, layer: Layer | None) -> Run | None:
    """Return the network from its file on disk; None, and the file is deleted, where it fails or differs from plain
    torch.
    """
    key = graph_id(model, layer, tuple(example_input(model, layer).shape))
    try:
        run = build(model)
        error = measure_error(run, model, layer)
        if error <= MAX_ERROR:
            return run
        log.warning(DAMAGED, model.name, f"it differs from plain torch by {error:.2g}")
    except _ENGINE_ERRORS as problem:
        log.warning(DAMAGED, model.name, problem)
    delete_graph(key)
    return None


def _build_fixed_batch(build: Builder, model: Classifier, layer: Layer | None, batch_size: int) -> Run | None:
    """Return a network for batches of one size; None where it would cost more than it saves, or is wrong."""
    # A layer that is not recommended would be translated again, which takes seconds.
    if weight_bytes(model) > MAX_FIXED_BYTES or (layer is not None and not layer.recommended):
        return None
    try:
        run = build(model)
        return run if measure_error(run, model, layer, batch_size) <= MAX_ERROR else None
    except _ENGINE_ERRORS as problem:
        log.warning("OpenVINO cannot run %s in batches of %d alone: %s", model.name, batch_size, problem)
        return None


def _build_again(reference: ref[Classifier], build: Builder) -> Run:
    """Build what runs batches anew. A reference, because a forward must not outlive its model."""
    model = reference()
    if model is None:
        raise RuntimeError("the model has been dropped")
    return build(model)


@cache_per_object
def forward_for(model: Classifier) -> Forward:
    """Return the forward of this model, built at the first call."""
    return build_forward(model)


def use_plain_forward(model: Classifier, micro_batch: int = 8, gradient_batch: int = 4) -> Classifier:
    """Give a model that is asked a few times only a forward in plain torch: nothing is compiled, measured or stored."""
    make = partial(_build_again, ref(model), build_eager_run)
    forward_for.put(model, Forward(make(), "torch", make, "", micro_batch, gradient_batch))
    return model


def is_forward_built(model: Classifier) -> bool:
    """Return True if `forward_for` has its answer ready."""
    return model in forward_for


@dataclass(eq=False)
class _FeatureForwards:
    """The latest forwards of one model with features, by layer."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    by_layer: OrderedDict[str, Forward] = field(default_factory=OrderedDict)


@cache_per_object
def _feature_forwards(model: Classifier) -> _FeatureForwards:
    return _FeatureForwards()


def forward_with_features(model: Classifier, layer: Layer) -> Forward:
    """Return a forward from pictures in bytes, uint8 (N, H, W, C), to rows of logits and the layer's pooled features.

    Rows are float32, (N, classes + 3 C); `WithFeatures.from_rows` takes them apart. Dropped with the model, or when
    other layers have been asked for since. Callers of `forward_for` never wait for one to be built.
    """
    forwards, name = _feature_forwards(model), layer.alias_of or layer.name
    with forwards.lock:
        if name not in forwards.by_layer:
            forwards.by_layer[name] = build_forward(model, layer)
        forwards.by_layer.move_to_end(name)
        while len(forwards.by_layer) > MAX_FEATURE_FORWARDS:
            forwards.by_layer.popitem(last=False)
        return forwards.by_layer[name]
