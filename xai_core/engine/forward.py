"""One fast forward pass a model, shared by every method that only needs outputs.

On a CPU the network is compiled by OpenVINO in float32, on CUDA it runs channels-last in torch. Either is compared with plain torch when
it is built; a backend that differs by more than 1e-3 in any logit is dropped, with a note for the page. The micro-batch is measured, and
a small network is compiled once more for batches of just that size, which is quicker by a tenth.
Several workers may run it at once, each with cores of its own (cores.py). Where a layer is asked for too, its pooled activations come
along in the same pass (tapped.py).
"""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from weakref import ref

import numpy as np
import torch
from torch import nn

from xai_core import settings
from xai_core.engine import cores, memory
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER, Task
from xai_core.engine.with_features import NetworkWithFeatures, logits_and_maps, max_error
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.models.layers import Layer
from xai_core.object_cache import cache_per_object

log = logging.getLogger(__name__)

LARGEST_ERROR = 1e-3
"""Logits of a backend may differ from plain torch by this much."""
ACTIVATION_BUDGET = 224 * 2**20
"""Bytes of activations the gradient micro-batches of all workers may hold, and never more than a quarter of the whole budget."""
REBUILD_AGAIN_S = 10.0
LAYERS_KEPT = 2
"""So many forwards with a layer are kept for a model: each holds the network compiled once more."""
_BATCHES = (4, 8, 16)
_FIXED_BYTES = 40 * 2**20
"""Networks with more weights are compiled but once: their large multiplications win nothing by it, and a copy takes hundreds of MB."""
_DAMAGED = "The translated network %s, which was kept on disk, is damaged and is made anew: %s"
_TAP = "tap 2"
"""Goes up when a tapped network gives other rows than before: translated ones are found on disk by it."""
OPENVINO_LOCK = threading.Lock()
"""Tracing a network is not safe in two threads at once."""

Run = Callable[[torch.Tensor], torch.Tensor]

# OpenVINO reads traced networks best; that torch would rather export them is nobody's to read who starts a server.
warnings.filterwarnings("ignore", r"`torch\.jit\.", FutureWarning)


@dataclass(eq=False)
class Forward:
    """`forward(batch)` gives logits (N, classes), float32 on the CPU, for a batch (N, C, H, W) of prepared pictures.

    That of `forward_with` takes and gives something else.

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

    def submit(self, batch: torch.Tensor, job: Job[Any] | None = None) -> Task[torch.Tensor]:
        """Queue a batch; `.wait()` on the task gives its logits. Meanwhile the caller can compose the next one."""
        return SCHEDULER.submit(self, batch, job)

    def __call__(self, batch: torch.Tensor, job: Job[Any] | None = None) -> torch.Tensor:
        return self.submit(batch, job).wait()

    def rebuild(self) -> None:
        """Make what runs batches anew, unless that was only just done: then it is the batch that cannot be run."""
        with self._rebuilding:  # where two workers fail at once, the second waits for what the first one makes
            if time.monotonic() - self.rebuilt_at > REBUILD_AGAIN_S:
                self.rebuilt_at = time.monotonic()
                self.run = self.make()


def _network(classifier: Classifier, layer: Layer | None) -> nn.Module:
    """A private copy of what is run: the network as it is, or one that also tells what this layer found."""
    return isolate(classifier.module) if layer is None else NetworkWithFeatures(classifier, layer)


def _torch_run(classifier: Classifier, layer: Layer | None = None) -> Run:
    module, device = _network(classifier, layer).to(memory_format=torch.channels_last), classifier.device
    # Seen pictures have their channels last by themselves.
    lying = torch.channels_last if layer is None else torch.contiguous_format

    def run(batch: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            rows: torch.Tensor = module(batch.to(device, memory_format=lying))
        return rows.float().cpu()

    return run


def _example(classifier: Classifier, layer: Layer | None = None) -> torch.Tensor:
    """A black picture as it is handed over: prepared, (1, C, H, W), or, where a layer is asked for too, as bytes, (1, H, W, C)."""
    channels, side = classifier.preprocessing.channels, classifier.side
    return (
        torch.zeros((1, channels, side, side))
        if layer is None
        else torch.zeros((1, side, side, channels), dtype=torch.uint8)
    )


def graph_of(classifier: Classifier, layer: Layer | None = None) -> Any:
    """The network translated for OpenVINO. It is kept on disk, since translating takes seconds and reading none.

    Of those with a layer only the recommended one's is kept: a visitor may go through dozens, and each file holds all weights.
    """
    import openvino

    kept, example = _kept_file(classifier, layer), _example(classifier, layer)
    if kept.exists() and kept.with_suffix(".bin").exists():
        try:
            return openvino.Core().read_model(kept)
        except RuntimeError as problem:
            log.warning(_DAMAGED, kept.name, problem)
    with torch.no_grad():
        traced = torch.jit.trace(_network(classifier, layer), example, check_trace=False)
    graph = openvino.convert_model(traced, example_input=example)
    if layer is None or layer.recommended:
        _keep(openvino, graph, kept)
    return graph


def _kept_file(classifier: Classifier, layer: Layer | None) -> Path:
    """Where the translated network is kept; its weights are beside it, with the suffix .bin."""
    import openvino

    what = f"{classifier.weights_sha256} {tuple(_example(classifier, layer).shape)} {openvino.__version__} {torch.__version__}"
    what += f" {layer.name} {classifier.preprocessing} {_TAP}" if layer else ""
    return settings.data_dir("openvino") / f"{classifier.name}-{hashlib.sha256(what.encode()).hexdigest()[:16]}.xml"


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
    finally:
        _delete(part)


def _delete(network: Path) -> None:
    """Remove a translated network and its weights from the disk, as far as they are there."""
    for file in (network, network.with_suffix(".bin")):
        with suppress(OSError):
            file.unlink(missing_ok=True)


def _openvino_run(classifier: Classifier, layer: Layer | None = None, often: int = 0) -> Run:
    """With `often`, batches of just so many pictures go through a network of their own, whose shapes are all known beforehand."""
    with OPENVINO_LOCK:
        graph = graph_of(classifier, layer)
        run = compiled(graph)
        if not often:
            return run
        graph.reshape([often, *_example(classifier, layer).shape[1:]])
        fixed = compiled(graph)
    return lambda batch: (fixed if len(batch) == often else run)(batch)


def compiled(graph: Any) -> Run:
    """What runs batches of a graph with one input, a worker each."""
    import openvino

    threads = cores.WORKERS * cores.CORES_PER_WORKER
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": cores.WORKERS}
    network = openvino.Core().compile_model(graph, "CPU", options)
    idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for _ in range(cores.WORKERS):
        idle.put(network.create_infer_request())

    def run(batch: torch.Tensor) -> torch.Tensor:
        request = idle.get()
        try:
            outputs = request.infer([batch.detach().cpu().contiguous().numpy()], share_inputs=True)
            # A copy: the request reuses its output buffer.
            return torch.from_numpy(np.array(outputs[0], dtype=np.float32))
        finally:
            idle.put(request)

    return run


def _difference(run: Run, classifier: Classifier, layer: Layer | None = None, count: int = 4) -> float:
    """Largest logit difference between a backend and plain torch, on `count` pictures in one batch: noise over the whole input range.

    With a layer also how far its pooled values are apart (`error_of`).
    """
    example, dice = _example(classifier, layer), torch.Generator().manual_seed(0)
    if layer is not None:
        seen = torch.cat(
            [torch.randint(256, (count - 1, *example.shape[1:]), generator=dice, dtype=torch.uint8), example]
        )
        steps = classifier.preprocessing
        pictures = torch.cat([steps.to_tensor(steps.to_pixels(each)) for each in seen.numpy()])
        logits, maps = (
            each.cpu() for each in logits_and_maps(classifier.module, layer, pictures.to(classifier.device))
        )
        return max_error(run(seen), logits, maps)
    noise = torch.rand((count - 1, *example.shape[1:]), generator=dice) * 2 - 1
    pictures = torch.cat([noise * 2, example])
    with torch.no_grad():
        expected = isolate(classifier.module)(pictures.to(classifier.device)).float().cpu()
    found = run(pictures)
    return (
        float("inf")
        if found.shape != expected.shape or not found.isfinite().all()
        else float((found - expected).abs().max())
    )


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


def weight_bytes(classifier: Classifier) -> int:
    """Bytes of a network's weights."""
    return sum(weights.numel() * weights.element_size() for weights in classifier.module.parameters())


def _seconds(run: Run, example: torch.Tensor, size: int) -> float:
    """Seconds a picture in batches of this size: the best of three."""
    batch = example.repeat(size, 1, 1, 1)
    run(batch)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run(batch)
        times.append(time.perf_counter() - start)
    return min(times) / size


def _measure(run: Run, example: torch.Tensor) -> tuple[int, float]:
    """The smallest batch within 10 % of the best speed, and its seconds a picture in a worker. Small ones cancel sooner and share fairer."""
    speeds: dict[int, float] = {}
    for size in _BATCHES:
        speeds[size] = _seconds(run, example, size)
        if size * speeds[size] > 1.0:  # a slow network: a cancel must not wait for seconds
            break
    best = min(speeds.values())
    size = next(s for s in speeds if speeds[s] <= 1.1 * best)
    return size, speeds[size]


def _fixed(make: Callable[[Classifier], Run], classifier: Classifier, layer: Layer | None, size: int) -> Run | None:
    """What `make` makes, for batches of `size`; None where it would cost more than it brings, or is wrong."""
    if weight_bytes(classifier) > _FIXED_BYTES or (layer is not None and not layer.recommended):
        return None  # a layer that is not recommended would have to be translated again, which takes seconds
    try:
        run = make(classifier)
        return run if _difference(run, classifier, layer, size) <= LARGEST_ERROR else None
    except (RuntimeError, ValueError, TypeError) as problem:
        log.warning("OpenVINO cannot run %s in batches of %d alone: %s", classifier.name, size, problem)
        return None


def _checked(make: Callable[[Classifier], Run], classifier: Classifier, layer: Layer | None) -> tuple[Run, float]:
    """What `make` makes of the translated network, and by how much it differs from plain torch.

    If one that was kept on disk fails or differs by too much, the file may be to blame: it is translated anew, once.
    """
    kept = _kept_file(classifier, layer)
    from_disk = kept.exists()
    try:
        run = make(classifier)
        error = _difference(run, classifier, layer)
        if error <= LARGEST_ERROR or not from_disk:
            return run, error
        log.warning(_DAMAGED, kept.name, f"it differs from plain torch by {error:.2g}")
    except (RuntimeError, ValueError, TypeError) as problem:
        if not from_disk:
            raise
        log.warning(_DAMAGED, kept.name, problem)
    _delete(kept)
    run = make(classifier)
    return run, _difference(run, classifier, layer)


def build(classifier: Classifier, layer: Layer | None = None) -> Forward:
    """Make, check and measure the forward of a model. Never raises for a backend that does not work: plain torch always does."""
    example = _example(classifier, layer)
    make, make_fast = partial(_torch_run, layer=layer), partial(_openvino_run, layer=layer)
    run, backend, note = make(classifier), "torch", ""
    if classifier.device.type == "cpu":
        try:
            fast, error = _checked(make_fast, classifier, layer)
        except (ImportError, RuntimeError, ValueError, TypeError, NotImplementedError) as problem:
            note = "The fast engine cannot run this model, so it runs in plain torch, more slowly."
            log.warning("OpenVINO cannot run %s: %s", classifier.name, problem)
        else:
            if error <= LARGEST_ERROR:
                run, backend, make = fast, "openvino", make_fast
            else:
                note = f"The fast engine differs from plain torch by {error:.2g} on this model, so plain torch is used, more slowly."
                _delete(_kept_file(classifier, layer))  # or it would be taken for a damaged one at every start
    with SCHEDULER.slot(), cores.limit(cores.CORES_PER_WORKER):
        micro_batch, seconds = _measure(run, example)
    # The network that was measured keeps the memory of its largest batch: made anew, both together hold far less than that one did.
    make_fixed = partial(make_fast, often=micro_batch)
    fixed = _fixed(make_fixed, classifier, layer, micro_batch) if backend == "openvino" else None
    if fixed is not None:
        run, make = fixed, make_fixed
        with SCHEDULER.slot(), cores.limit(cores.CORES_PER_WORKER):
            seconds = _seconds(run, example, micro_batch)
    room = min(ACTIVATION_BUDGET, memory.budget() // 4) // cores.WORKERS
    gradient_batch = max(
        1, min(8, room // _activation_bytes(classifier.module, _example(classifier).to(classifier.device)))
    )
    return Forward(
        run, backend, partial(_again, ref(classifier), make), note, micro_batch, gradient_batch, seconds / cores.WORKERS
    )


def _again(of: ref[Classifier], make: Callable[[Classifier], Run]) -> Run:
    """What runs batches, made anew. Holds no model: a forward must not outlive its own."""
    classifier = of()
    if classifier is None:
        raise RuntimeError("the model has been dropped")
    return make(classifier)


@cache_per_object
def forward_for(classifier: Classifier) -> Forward:
    """The forward of this classifier, built once however many threads ask, and dropped with the classifier."""
    return build(classifier)


def is_forward_built(classifier: Classifier) -> bool:
    """True if `forward_for` has its answer ready."""
    return classifier in forward_for


@dataclass(eq=False)
class _Tapped:
    """The forwards of one model that also tell of a layer, the latest ones, by its name."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    built: OrderedDict[str, Forward] = field(default_factory=OrderedDict)


@cache_per_object
def _tapped(_classifier: Classifier) -> _Tapped:
    return _Tapped()


def forward_with_features(classifier: Classifier, layer: Layer) -> Forward:
    """A forward from seen pictures as bytes, uint8 (N, H, W, C), to rows of logits and what was pooled of a layer.

    Rows are float32, (N, classes + 3 C); `Tapped.of` takes them apart. Built once however many threads ask, and dropped with the
    classifier or when others have been asked for since. Users of `forward_for` never wait for one to be built.
    """
    tapped, name = _tapped(classifier), layer.alias_of or layer.name
    with tapped.lock:
        if name not in tapped.built:
            tapped.built[name] = build(classifier, layer)
        tapped.built.move_to_end(name)
        while len(tapped.built) > LAYERS_KEPT:
            tapped.built.popitem(last=False)
        return tapped.built[name]
