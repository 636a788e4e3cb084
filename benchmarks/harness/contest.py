"""Contests of attribution methods: runs, their order and number, and the resulting row.

Runs are interleaved (ours, the limit, each peer, and again), and a ratio is the median of the ratios within one round:
the load of a shared machine drifts, and affects all runs of a round alike.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import median

import numpy as np
import psutil  # type: ignore[import-untyped]  # ships no types
import torch
from PIL import Image
from torch import nn

import xai_core
from benchmarks.harness.limits import Limit, Passes, list_compiled_passes, measure_seconds, worker_counts
from xai_core.arrays import Float, Float32
from xai_core.engine.backends.forward import Forward, forward_for
from xai_core.models.isolation import isolate

BATCHES = (1, 8, 16, 32)
"""Batch sizes to try for a peer; the fastest is used."""
FORWARD_BATCHES = (4, 8, 16, 32, 64)
GRADIENT_BATCHES = (1, 4, 8, 16)
MB = 2**20


@dataclass(frozen=True)
class Workload:
    """The input of every question: one model, one picture and its most likely class."""

    model: xai_core.Classifier
    image: Image.Image
    repeats: int = 5
    batches: Sequence[int] = BATCHES
    forward_batches: Sequence[int] = FORWARD_BATCHES
    gradient_batches: Sequence[int] = GRADIENT_BATCHES
    log: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)

    @cached_property
    def forward(self) -> Forward:
        return forward_for(self.model)

    @property
    def module(self) -> nn.Module:
        """The plain torch network, as a peer would be given it."""
        return self.model.module

    @cached_property
    def model_input(self) -> torch.Tensor:
        return self.model.prepare(self.image)

    @cached_property
    def pixels(self) -> Float32:
        """The picture as the model receives it, (H, W, C) in 0..1."""
        steps = self.model.preprocessing
        return steps.to_pixels(steps.model_input(self.image))

    @cached_property
    def target(self) -> int:
        return xai_core.predict(self.model, self.image, 1).classes[0][0]

    def describe_seeds(
        self, method: str, randomness: str, params: Mapping[str, object], attribution: xai_core.Attribution
    ) -> str:
        """Describe the Pearson correlation of our map with that of another seed, as a reference for random methods."""
        second = xai_core.explain(self.model, self.image, method, params=params, seed=1)
        agreement = pearson(attribution.heatmap, second.heatmap)
        return f"every map has its own {randomness}; two seeds of ours have Pearson {agreement:.4f}"

    def explain(self, method: str, layer: str | None = None, **params: object) -> xai_core.Attribution:
        return xai_core.explain(self.model, self.image, method, layer=layer, params=params)

    @cached_property
    def best_forward(self) -> Passes:
        """Forward passes with the batch size and number of workers that take the least time per picture.

        No batch is smaller than the engine's own: the engine joins two such batches, which leaves a worker idle.
        """
        sizes = sorted({max(size, self.forward.micro_batch) for size in self.forward_batches})
        candidates = [Passes(self._forward_pass(size), size, workers) for size in sizes for workers in worker_counts()]
        return min(candidates, key=Passes.seconds_per_picture)

    def _forward_pass(self, size: int) -> Callable[[], object]:
        batch = self.model_input.repeat(size, 1, 1, 1)
        return lambda: self.forward(batch)

    def forward_limit(self, evaluations: int) -> Passes:
        """That many forward passes and nothing else, in the best batches."""
        return replace(self.best_forward, pictures=evaluations, evaluation="forward passes")

    @cached_property
    def best_gradient(self) -> Passes:
        """Forward-and-backward passes, plain or compiled, with the fastest layout, batch and number of workers."""
        layouts = {"": torch.contiguous_format, "channels-last ": torch.channels_last}
        candidates = [
            Passes(self._gradient_pass(size, memory), size, workers, layout=layout)
            for size in self.gradient_batches
            for layout, memory in layouts.items()
            for workers in worker_counts()
        ]
        candidates += list_compiled_passes(self.model, self.model_input, self.target)
        return min(candidates, key=Passes.seconds_per_picture)

    def _gradient_pass(self, size: int, memory: torch.memory_format) -> Callable[[], object]:
        batch = self.model_input.repeat(size, 1, 1, 1).contiguous(memory_format=memory)
        module = isolate(self.module).to(memory_format=memory)

        def run() -> object:
            own = batch.detach().requires_grad_(True)
            return torch.autograd.grad(module(own)[:, self.target].sum(), own)

        return run

    def gradient_limit(self, gradients: int) -> Passes:
        """That many forward-and-backward passes and nothing else, in the best batches."""
        return replace(self.best_gradient, pictures=gradients, evaluation="forward-and-backward passes")


@dataclass(frozen=True)
class Peer:
    """Another implementation of the same map: `run(batch)` returns it as (H, W).

    `trial(batch)` is a shorter run that serves to choose the batch size.
    """

    name: str
    run: Callable[[int], Float]
    trial: Callable[[int], object] | None = None
    batched: bool = True
    note: Callable[[Float], str] = lambda _values: ""
    """Remark about its map."""


@dataclass(frozen=True)
class Target:
    """A bound on one column of a row, against `peer` or every peer."""

    column: str
    maximum: float | None = None
    minimum: float | None = None
    peer: str | None = None

    def describe_miss(self, row: Row) -> str:
        """Describe the missed bound; empty if the row meets it."""
        value = getattr(row, self.column)
        if self.peer not in (None, row.peer):
            return ""
        where = f"{row.question} against {row.peer}: {COLUMNS[self.column]} is {value:.4g}"
        if self.maximum is not None and not value <= self.maximum:
            return f"{where}, to reach: at most {self.maximum:g}"
        if self.minimum is not None and not value >= self.minimum:
            return f"{where}, to reach: at least {self.minimum:g}"
        return ""


@dataclass(frozen=True)
class Question:
    """One comparison of ours with its peers and the limit, with its targets."""

    title: str
    ours: Callable[[], xai_core.Attribution]
    limit: Callable[[xai_core.Attribution], Limit]
    peers: tuple[Peer, ...]
    targets: tuple[Target, ...] = ()
    note: Callable[[xai_core.Attribution], str] = lambda _attribution: ""


@dataclass(frozen=True)
class Row:
    """One line of the table. Targets refer to field names; COLUMNS holds the headings."""

    question: str
    peer: str
    batch: str
    ours_s: float
    peer_s: float
    ratio: float
    evaluations: int
    to_limit: float
    ours_mb: float
    peer_mb: float
    pearson: float


COLUMNS = {
    "question": "Question",
    "peer": "Peer",
    "batch": "peer's best batch",
    "ours_s": "ours, s",
    "peer_s": "peer, s",
    "ratio": "ours / peer",
    "evaluations": "evaluations",
    "to_limit": "ours / limit",
    "ours_mb": "ours, extra MB",
    "peer_mb": "peer, extra MB",
    "pearson": "Pearson",
}
_DIGITS = {
    "ours_s": ".3f",
    "peer_s": ".3f",
    "ratio": ".2f",
    "to_limit": ".2f",
    "ours_mb": ".0f",
    "peer_mb": ".0f",
    "pearson": ".4f",
}


@dataclass
class Answer:
    """The rows of one question, its notes and its missed targets."""

    rows: list[Row]
    notes: list[str]
    misses: list[str] = field(default_factory=list)


def count_cores() -> int:
    """Count the cores that this process may use, or all cores where the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pearson(ours: Float, theirs: Float) -> float:
    """Correlation of two maps of one shape; nan where one of them is flat."""
    a, b = (values.astype(np.float64).ravel() - values.mean(dtype=np.float64) for values in (ours, theirs))
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length else float("nan")


def run_first(workload: Workload, question: Question) -> tuple[xai_core.Attribution, float]:
    """Compute our map and the MB it takes.

    Runs for all questions before any peer: a fragmented heap raises the measured memory.
    """
    workload.log(f"{question.title}: ours, memory")
    # Nothing is paid for the first time within a measurement.
    question.ours()
    with peak_memory() as memory:
        attribution = question.ours()
    return attribution, memory.extra_mb


def measure(workload: Workload, question: Question, first: tuple[xai_core.Attribution, float] | None = None) -> Answer:
    """Measure memory, choose the best batch sizes, then run `repeats` rounds of all contestants."""
    log = workload.log
    attribution, ours_mb = first or run_first(workload, question)
    limit = question.limit(attribution)
    chosen = [_choose_batch(workload, peer) for peer in question.peers]
    ours_s: list[float] = []
    limit_s: list[float] = []
    peers_s: list[list[float]] = [[] for _ in chosen]
    maps: dict[str, Float] = {}
    for turn in range(workload.repeats):
        log(f"{question.title}: round {turn + 1} of {workload.repeats}")
        ours_s.append(measure_seconds(question.ours))
        limit_s.append(limit.seconds())
        for pick, seconds in zip(chosen, peers_s, strict=True):
            gc.collect()
            start = time.perf_counter()
            maps[pick.peer.name] = pick.peer.run(pick.batch)
            seconds.append(time.perf_counter() - start)
    rows = [
        Row(
            question=question.title,
            peer=pick.peer.name,
            batch=str(pick.batch) if pick.peer.batched else "–",
            ours_s=median(ours_s),
            peer_s=median(seconds),
            ratio=median(ours / theirs for ours, theirs in zip(ours_s, seconds, strict=True)),
            evaluations=attribution.evaluations,
            to_limit=median(ours / minimum for ours, minimum in zip(ours_s, limit_s, strict=True)),
            ours_mb=ours_mb,
            peer_mb=pick.extra_mb,
            pearson=pearson(attribution.heatmap, maps[pick.peer.name]),
        )
        for pick, seconds in zip(chosen, peers_s, strict=True)
    ]
    notes = [f"the limit is {limit.words}: {median(limit_s):.3f} s", question.note(attribution)]
    notes += [peer.note(maps[peer.name]) for peer in question.peers]
    log(format_table(rows))
    misses = [line for row in rows for target in question.targets if (line := target.describe_miss(row))]
    return Answer(rows, [f"{question.title}: {'; '.join(filter(None, notes))}."], list(dict.fromkeys(misses)))


@dataclass(frozen=True)
class _Choice:
    peer: Peer
    batch: int
    extra_mb: float


def _choose_batch(workload: Workload, peer: Peer) -> _Choice:
    """Choose the fastest batch size of a peer, from one run each, and measure the memory."""
    trials: list[tuple[float, _Choice]] = []
    run = peer.trial or peer.run
    if not peer.batched:
        # It is short, so what happens the first time only would weigh.
        run(1)
    for batch in workload.batches if peer.batched else (1,):
        with peak_memory() as memory:
            # Mypy cannot infer a lambda with a default.
            seconds = measure_seconds(lambda batch=batch: run(batch))  # type: ignore[misc]
        trials.append((seconds, _Choice(peer, batch, memory.extra_mb)))
        workload.log(f"  {peer.name}, batch {batch}: {seconds:.2f} s, {memory.extra_mb:.0f} MB")
    return min(trials, key=lambda trial: trial[0])[1]


class _Memory:
    """Resident memory of this process above its level at the start, in MB."""

    def __init__(self) -> None:
        self.extra_mb = 0.0


@contextmanager
def peak_memory() -> Iterator[_Memory]:
    """Measure the peak of resident memory within the block, above its level before.

    Free heap is returned to the system first.
    """
    gc.collect()
    _trim_heap()
    memory, process = _Memory(), psutil.Process()
    before = process.memory_info().rss
    if _reset_peak_rss():
        yield memory
        peak = _read_peak_rss()
    else:
        with _sample_memory(process) as peaks:
            yield memory
        peak = max(peaks)
    memory.extra_mb = max(peak - before, 0) / MB


def _trim_heap() -> None:
    """Return free heap to the system where the C library can; otherwise it hides what the next run takes."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _reset_peak_rss() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return _read_peak_rss() > 0


def _read_peak_rss() -> int:
    """VmHWM in bytes, 0 where the system does not tell."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


@contextmanager
def _sample_memory(process: psutil.Process) -> Iterator[list[int]]:
    peaks, done = [process.memory_info().rss], threading.Event()

    def sample() -> None:
        while not done.wait(0.005):
            peaks.append(process.memory_info().rss)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def format_table(rows: Sequence[Row]) -> str:
    """Format the rows as a Markdown table."""

    def format_cells(row: Row) -> list[str]:
        return [
            f"{value:{_DIGITS[name]}}" if name in _DIGITS else str(value)
            for name, value in ((n, getattr(row, n)) for n in COLUMNS)
        ]

    rule = ["---" if name in ("question", "peer") else "---:" for name in COLUMNS]
    return "\n".join(f"| {' | '.join(line)} |" for line in [list(COLUMNS.values()), rule, *map(format_cells, rows)])
