"""One fast forward pass a model, shared by every method that only needs outputs.

On a CPU the network is compiled by OpenVINO in float32, on CUDA it runs channels-last in torch. Either is compared with plain torch when
it is built; a backend that differs by more than 1e-3 in any logit is dropped, with a note for the page. The micro-batch is measured.
Several lanes may run it at once, each with cores of its own (cores.py).
"""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
import torch
from torch import nn

from xai_core.engine import cores, data_folder, memory
from xai_core.engine.isolation import isolate, out_of_place
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER, Ticket
from xai_core.models.classifier import Classifier

log = logging.getLogger(__name__)

LARGEST_ERROR = 1e-3
"""Logits of a backend may differ from plain torch by this much."""
ACTIVATION_BUDGET = 192 * 2**20
"""Bytes of activations the gradient micro-batches of all lanes may hold, and never more than a quarter of the whole budget."""
REBUILD_AGAIN_S = 10.0
_BATCHES = (4, 8, 16)
_OPENVINO_LOCK = threading.Lock()
"""Tracing a network is not safe in two threads at once."""

Run = Callable[[torch.Tensor], torch.Tensor]


@dataclass(eq=False)
class Forward:
    """`forward(batch)` gives logits (N, classes), float32 on the CPU, for a batch (N, C, H, W) of prepared pictures.

    Callers split their work into batches of `micro_batch`, so that several jobs take turns. `make` builds what runs anew.
    """

    run: Run
    backend: str
    make: Callable[[], Run]
    note: str = ""
    micro_batch: int = 8
    gradient_batch: int = 8
    seconds_a_picture: float = 0.0

    rebuilt_at: float = -float("inf")
    _rebuilding: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, batch: torch.Tensor, job: Job[Any] | None = None) -> Ticket[torch.Tensor]:
        """Queue a batch; `.wait()` on the ticket gives its logits. Meanwhile the caller can compose the next one."""
        return SCHEDULER.submit(self, batch, job)

    def __call__(self, batch: torch.Tensor, job: Job[Any] | None = None) -> torch.Tensor:
        return self.submit(batch, job).wait()

    def rebuild(self) -> None:
        """Make what runs batches anew, unless that was only just done: then it is the batch that cannot be run."""
        with self._rebuilding:  # where two lanes fail at once, the second waits for what the first one makes
            if time.monotonic() - self.rebuilt_at > REBUILD_AGAIN_S:
                self.rebuilt_at = time.monotonic()
                self.run = self.make()


def _torch_run(classifier: Classifier) -> Run:
    module, device = isolate(classifier.module).to(memory_format=torch.channels_last), classifier.device

    def run(batch: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            logits: torch.Tensor = module(batch.to(device, memory_format=torch.channels_last))
        return logits.float().cpu()

    return run


def _example(classifier: Classifier) -> torch.Tensor:
    """A prepared picture of the right shape, (1, C, H, W)."""
    return torch.zeros((1, classifier.preprocessing.channels, classifier.side, classifier.side))


def _compiled(classifier: Classifier) -> Any:
    """The network compiled by OpenVINO. Its translated form is kept on disk, since translating takes seconds and reading none."""
    import openvino

    core, example = openvino.Core(), _example(classifier)
    key = hashlib.sha256(f"{classifier.weights_sha256} {tuple(example.shape)} {openvino.__version__} {torch.__version__}".encode())
    kept = data_folder("openvino") / f"{classifier.name}-{key.hexdigest()[:16]}.xml"
    if kept.exists() and kept.with_suffix(".bin").exists():
        graph = core.read_model(kept)
    else:
        with torch.no_grad():
            traced = torch.jit.trace(isolate(classifier.module), example, check_trace=False)
        graph = openvino.convert_model(traced, example_input=example)
        _keep(openvino, graph, kept)
    threads = cores.LANES * cores.CORES_A_LANE
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": cores.LANES}
    return core.compile_model(graph, "CPU", options)


def _keep(openvino: Any, graph: Any, kept: Path) -> None:
    """Write the graph beside its final name first: a process that dies half-way leaves no file that reads as whole."""
    part = kept.with_name(f"{threading.get_ident()}-{time.monotonic_ns()}.part.xml")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        openvino.save_model(graph, part, compress_to_fp16=False)
        part.with_suffix(".bin").replace(kept.with_suffix(".bin"))
        part.replace(kept)
    except (OSError, RuntimeError) as problem:  # a full or read-only disk costs seconds at the next start, nothing else
        log.warning("The translated network could not be kept on disk: %s", problem)


def _openvino_run(classifier: Classifier) -> Run:
    idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with _OPENVINO_LOCK:
        compiled = _compiled(classifier)
        for _ in range(cores.LANES):
            idle.put(compiled.create_infer_request())

    def run(batch: torch.Tensor) -> torch.Tensor:
        request = idle.get()
        try:
            outputs = request.infer([batch.detach().cpu().contiguous().numpy()], share_inputs=True)
            return torch.from_numpy(np.array(outputs[0], dtype=np.float32))  # a copy: the request reuses its output buffer
        finally:
            idle.put(request)

    return run


def _difference(run: Run, classifier: Classifier, example: torch.Tensor) -> float:
    """Largest logit difference between a backend and plain torch, on noise pictures over the whole input range."""
    noise = torch.rand((3, *example.shape[1:]), generator=torch.Generator().manual_seed(0)) * 2 - 1
    pictures = torch.cat([noise * 2, torch.zeros_like(noise[:1])])
    with torch.no_grad():
        expected = isolate(classifier.module)(pictures.to(classifier.device)).float().cpu()
    found = run(pictures)
    return float("inf") if found.shape != expected.shape or not found.isfinite().all() else float((found - expected).abs().max())


def _activation_bytes(module: nn.Module, example: torch.Tensor) -> int:
    """Bytes all leaf modules put out for one picture, those of norms apart, which are folded away: what a backward pass has to keep."""
    private, total = isolate(module), 0

    def count(_part: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal total
        total += output.numel() * output.element_size() if isinstance(output, torch.Tensor) else 0

    for part in private.modules():
        if not isinstance(part, nn.BatchNorm2d) and not any(True for _ in part.children()):
            part.register_forward_hook(count)
    with torch.no_grad(), out_of_place():
        private(example)
    return max(total, 1)


def _measure(run: Run, example: torch.Tensor) -> tuple[int, float]:
    """The smallest batch within 10 % of the best speed, and its seconds a picture in a lane. Small ones cancel sooner and share fairer."""
    speeds: dict[int, float] = {}
    for size in _BATCHES:
        batch = example.repeat(size, 1, 1, 1)
        run(batch)
        times = []
        for _ in range(3):
            start = time.perf_counter()
            run(batch)
            times.append(time.perf_counter() - start)
        speeds[size] = min(times) / size
        if size * speeds[size] > 1.0:  # a slow network: a cancel must not wait for seconds
            break
    best = min(speeds.values())
    size = next(s for s in speeds if speeds[s] <= 1.1 * best)
    return size, speeds[size]


def build(classifier: Classifier) -> Forward:
    """Make, check and measure the forward of a model. Never raises for a backend that does not work: plain torch always does."""
    example = _example(classifier)
    run, backend, note, make = _torch_run(classifier), "torch", "", _torch_run
    if classifier.device.type == "cpu":
        try:
            fast = _openvino_run(classifier)
            error = _difference(fast, classifier, example)
        except (ImportError, RuntimeError, ValueError, TypeError, NotImplementedError) as problem:
            note = "The fast engine cannot run this model, so it runs in plain torch, more slowly."
            log.warning("OpenVINO cannot run %s: %s", classifier.name, problem)
        else:
            if error <= LARGEST_ERROR:
                run, backend, make = fast, "openvino", _openvino_run
            else:
                note = f"The fast engine differs from plain torch by {error:.2g} on this model, so plain torch is used, more slowly."
    with SCHEDULER.turn(), cores.using(cores.CORES_A_LANE):
        micro_batch, seconds = _measure(run, example)
    room = min(ACTIVATION_BUDGET, memory.budget() // 4) // cores.LANES
    gradient_batch = max(1, min(8, room // _activation_bytes(classifier.module, example.to(classifier.device))))
    return Forward(run, backend, partial(_again, ref(classifier), make), note, micro_batch, gradient_batch, seconds / cores.LANES)


def _again(of: ref[Classifier], make: Callable[[Classifier], Run]) -> Run:
    """What runs batches, made anew. Holds no model: a forward must not outlive its own."""
    classifier = of()
    if classifier is None:
        raise RuntimeError("the model has been dropped")
    return make(classifier)


_BUILT: WeakKeyDictionary[Classifier, Forward] = WeakKeyDictionary()
_LOCKS: WeakKeyDictionary[Classifier, threading.Lock] = WeakKeyDictionary()
_GUARD = threading.Lock()


def is_built(classifier: Classifier) -> bool:
    """True if `forward_for` has its answer ready."""
    with _GUARD:
        return classifier in _BUILT


def forward_for(classifier: Classifier) -> Forward:
    """The forward of this classifier, built once however many threads ask, and dropped with the classifier."""
    with _GUARD:
        lock = _LOCKS.setdefault(classifier, threading.Lock())
    with lock:
        if classifier not in _BUILT:
            _BUILT[classifier] = build(classifier)
        return _BUILT[classifier]
