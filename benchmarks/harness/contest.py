"""Contestants measured side by side: who runs, how often, in which order, and the row that comes out.

Runs are interleaved (ours, the limit, each peer, and again), and a ratio is the median of the ratios within one round:
on a shared machine the load drifts, and rounds feel it alike.
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
import numpy.typing as npt
import psutil  # type: ignore[import-untyped]  # ships no types
import torch
from PIL import Image
from torch import nn

import xai_core
from benchmarks.harness.limits import Limit, Passes, seconds_of, side_by_side
from xai_core.engine.backends.forward import Forward, forward_for
from xai_core.models.isolation import isolate

Floats = npt.NDArray[np.floating]
BATCHES = (1, 8, 16, 32)
"""Settings of a peer's batch size that are tried; the fastest is used."""
FORWARD_BATCHES = (4, 8, 16, 32, 64)
GRADIENT_BATCHES = (1, 4, 8, 16)
MB = 2**20


@dataclass(frozen=True)
class Bench:
    """What every question is asked about: one model, one picture, its likeliest class."""

    model: xai_core.Classifier
    image: Image.Image
    repeats: int = 5
    batches: Sequence[int] = BATCHES
    forward_batches: Sequence[int] = FORWARD_BATCHES
    gradient_batches: Sequence[int] = GRADIENT_BATCHES
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)

    @cached_property
    def forward(self) -> Forward:
        return forward_for(self.model)

    @property
    def module(self) -> nn.Module:
        """The plain torch network, as a peer would be given it."""
        return self.model.module

    @cached_property
    def x(self) -> torch.Tensor:
        return self.model.prepare(self.image)

    @cached_property
    def pixels(self) -> npt.NDArray[np.float32]:
        """The picture as the model sees it, (H, W, C) in 0..1."""
        steps = self.model.preprocessing
        return steps.to_pixels(steps.model_input(self.image))

    @cached_property
    def target(self) -> int:
        return xai_core.predict(self.model, self.image, 1).classes[0][0]

    def seeds_agree(self, method: str, given: Mapping[str, object], found: xai_core.Attribution) -> float:
        """Pearson of our map with that of another seed: as far as two right maps agree where each draws its own."""
        return pearson(found.heatmap, xai_core.explain(self.model, self.image, method, params=given, seed=1).heatmap)

    def explain(self, method: str, layer: str | None = None, **params: object) -> xai_core.Attribution:
        return xai_core.explain(self.model, self.image, method, layer=layer, params=params)

    @cached_property
    def best_forward(self) -> Passes:
        """A few forward passes in the batches, and with so many of them side by side, at which a picture takes least
        time.

        None smaller than the engine's own: it joins two of those into one, and the other lane has nothing to do.

        """
        sizes = sorted({max(size, self.forward.micro_batch) for size in self.forward_batches})
        found = [Passes(self._forward_pass(size), size, lanes) for size in sizes for lanes in side_by_side()]
        return min(found, key=Passes.seconds_a_picture)

    def _forward_pass(self, size: int) -> Callable[[], object]:
        batch = self.x.repeat(size, 1, 1, 1)
        return lambda: self.forward(batch)

    def forward_limit(self, evaluations: int) -> Passes:
        """That many forward passes and nothing else, in the best batches."""
        return replace(self.best_forward, pictures=evaluations, what="forward passes")

    @cached_property
    def best_gradient(self) -> Passes:
        """A few passes forward and backward in plain torch, in the layout and batches at which a picture takes least
        time.
        """
        layouts = {"": torch.contiguous_format, "channels-last ": torch.channels_last}
        found = [
            Passes(self._gradient_pass(size, memory), size, lanes, layout=layout)
            for size in self.gradient_batches
            for layout, memory in layouts.items()
            for lanes in side_by_side()
        ]
        return min(found, key=Passes.seconds_a_picture)

    def _gradient_pass(self, size: int, memory: torch.memory_format) -> Callable[[], object]:
        batch = self.x.repeat(size, 1, 1, 1).contiguous(memory_format=memory)
        module = isolate(self.module).to(memory_format=memory)

        def run() -> object:
            own = batch.detach().requires_grad_(True)
            return torch.autograd.grad(module(own)[:, self.target].sum(), own)

        return run

    def gradient_limit(self, gradients: int) -> Passes:
        """That many forward-and-backward passes and nothing else, in the best batches."""
        return replace(self.best_gradient, pictures=gradients, what="forward-and-backward passes")


@dataclass(frozen=True)
class Peer:
    """Another way to the same map: `run(batch)` gives it as (H, W); `trial(batch)` is a shorter run to find the best
    batch with.
    """

    name: str
    run: Callable[[int], Floats]
    trial: Callable[[int], object] | None = None
    batched: bool = True
    note: Callable[[Floats], str] = lambda _values: ""
    """What else there is to say about its map."""


@dataclass(frozen=True)
class Target:
    """What a row has to reach: `column` of the row is at most, or at least, this.

    Without a peer it holds for every row.
    """

    column: str
    most: float | None = None
    least: float | None = None
    peer: str | None = None

    def missed(self, row: Row) -> str:
        """The sentence that says what was missed, empty where nothing was."""
        value = getattr(row, self.column)
        if self.peer not in (None, row.peer):
            return ""
        where = f"{row.question} against {row.peer}: {COLUMNS[self.column]} is {value:.4g}"
        if self.most is not None and not value <= self.most:
            return f"{where}, to reach: at most {self.most:g}"
        if self.least is not None and not value >= self.least:
            return f"{where}, to reach: at least {self.least:g}"
        return ""


@dataclass(frozen=True)
class Question:
    """One comparison: ours against its peers and against the limit, with what has to be reached."""

    title: str
    ours: Callable[[], xai_core.Attribution]
    limit: Callable[[xai_core.Attribution], Limit]
    peers: tuple[Peer, ...]
    targets: tuple[Target, ...] = ()
    note: Callable[[xai_core.Attribution], str] = lambda _found: ""


@dataclass(frozen=True)
class Row:
    """One line of the table. Field names are what targets speak of; COLUMNS gives the words."""

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
    """The rows of one question, what is to be said beneath the table, and what was missed."""

    rows: list[Row]
    notes: list[str]
    missed: list[str] = field(default_factory=list)


def core_count() -> int:
    """Cores that this process may use, or all there are where the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pearson(ours: Floats, theirs: Floats) -> float:
    """Correlation of two maps of one shape; nan where one of them is flat."""
    a, b = (values.astype(np.float64).ravel() - values.mean(dtype=np.float64) for values in (ours, theirs))
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length else float("nan")


def first_run(bench: Bench, question: Question) -> tuple[xai_core.Attribution, float]:
    """Our map, and the MB it took.

    Asked for all questions before any peer runs: a heap that others have left in pieces costs more.
    """
    bench.say(f"{question.title}: ours, memory")
    question.ours()  # nothing is paid for the first time within a measurement
    with peak_memory() as memory:
        found = question.ours()
    return found, memory.extra_mb


def measure(bench: Bench, question: Question, first: tuple[xai_core.Attribution, float] | None = None) -> Answer:
    """Run everything: memory and the best batches first, then `repeats` rounds of all contestants."""
    say = bench.say
    found, ours_mb = first or first_run(bench, question)
    limit = question.limit(found)
    chosen = [_best(bench, peer) for peer in question.peers]
    ours_s: list[float] = []
    limit_s: list[float] = []
    peers_s: list[list[float]] = [[] for _ in chosen]
    maps: dict[str, Floats] = {}
    for turn in range(bench.repeats):
        say(f"{question.title}: round {turn + 1} of {bench.repeats}")
        ours_s.append(seconds_of(question.ours))
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
            evaluations=found.evaluations,
            to_limit=median(ours / least for ours, least in zip(ours_s, limit_s, strict=True)),
            ours_mb=ours_mb,
            peer_mb=pick.extra_mb,
            pearson=pearson(found.heatmap, maps[pick.peer.name]),
        )
        for pick, seconds in zip(chosen, peers_s, strict=True)
    ]
    said = [f"the limit is {limit.words}: {median(limit_s):.3f} s", question.note(found)]
    said += [peer.note(maps[peer.name]) for peer in question.peers]
    say(table(rows))
    missed = [line for row in rows for target in question.targets if (line := target.missed(row))]
    return Answer(rows, [f"{question.title}: {'; '.join(filter(None, said))}."], list(dict.fromkeys(missed)))


@dataclass(frozen=True)
class _Choice:
    peer: Peer
    batch: int
    extra_mb: float


def _best(bench: Bench, peer: Peer) -> _Choice:
    """The peer's fastest batch size of those tried once each, and the memory it took."""
    tried: list[tuple[float, _Choice]] = []
    run = peer.trial or peer.run
    if not peer.batched:
        run(1)  # it is short, so what happens the first time only would weigh
    for batch in bench.batches if peer.batched else (1,):
        with peak_memory() as memory:
            # Mypy cannot infer a lambda with a default.
            seconds = seconds_of(lambda batch=batch: run(batch))  # type: ignore[misc]
        tried.append((seconds, _Choice(peer, batch, memory.extra_mb)))
        bench.say(f"  {peer.name}, batch {batch}: {seconds:.2f} s, {memory.extra_mb:.0f} MB")
    return min(tried, key=lambda each: each[0])[1]


class _Memory:
    """Resident memory of this process above where it stood, in MB."""

    def __init__(self) -> None:
        self.extra_mb = 0.0


@contextmanager
def peak_memory() -> Iterator[_Memory]:
    """Measure the peak of resident memory within the block, above its level before.

    What was freed earlier is given back first.
    """
    gc.collect()
    _give_back()
    memory, process = _Memory(), psutil.Process()
    before = process.memory_info().rss
    if _reset_high_water():
        yield memory
        peak = _high_water()
    else:
        with _sampled(process) as peaks:
            yield memory
        peak = max(peaks)
    memory.extra_mb = max(peak - before, 0) / MB


def _give_back() -> None:
    """Return freed memory to the system where the C library can, or it would hide what the next run takes."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _reset_high_water() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return _high_water() > 0


def _high_water() -> int:
    """VmHWM in bytes, 0 where the system does not tell."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


@contextmanager
def _sampled(process: psutil.Process) -> Iterator[list[int]]:
    peaks, done = [process.memory_info().rss], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peaks.append(process.memory_info().rss)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, numbers to the right."""

    def cells(row: Row) -> list[str]:
        return [
            f"{value:{_DIGITS[name]}}" if name in _DIGITS else str(value)
            for name, value in ((n, getattr(row, n)) for n in COLUMNS)
        ]

    rule = ["---" if name in ("question", "peer") else "---:" for name in COLUMNS]
    return "\n".join(f"| {' | '.join(line)} |" for line in [list(COLUMNS.values()), rule, *map(cells, rows)])
