"""One pass of a model over a set of pictures: logits and a layer's pooled activations of every picture, kept on disk.

Pictures are decoded by a few threads while the shared engine works on those before them, batch by batch in its line, so that other
visitors get their turns. What is done is on disk every few seconds: who was stopped goes on from there.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from xai_core.arrays import Bool, Float32
from xai_core.engine import cores
from xai_core.engine.backends.forward import Forward, forward_with_features
from xai_core.engine.backends.with_features import WithFeatures
from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.engine.scheduler import Task
from xai_core.errors import InvalidParam, InvalidSet, NotApplicable, UnknownName, XaiError
from xai_core.images import resize
from xai_core.imageset.image_set import GONE
from xai_core.imageset.row_arrays import ResumableArrays, map_arrays
from xai_core.imageset.runs.corruptions.spec import parse_corruption
from xai_core.imageset.runs.disk import About, alone, find_run, forget_pass, pass_id, settle, workbench
from xai_core.imageset.runs.loader import Batch, Pictures, Reader
from xai_core.imageset.prefetch import prefetch
from xai_core.imageset.runs.outputs import ModelOutputs
from xai_core.imageset.sets.library import find_set
from xai_core.models import load_model
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer

SAVE_S = 4.0
"""A kill costs at most the work of so many seconds."""
MOST_PLACES = 2**16
"""Places of a layer's grid that two bytes can number."""
_UNDER_WAY = 2 * cores.WORKERS
"""Batches in the engine's queue at a time: one for each worker, and one to follow it at once."""
_AHEAD = 2 * cores.WORKERS
"""Batches that are decoded and wait."""
_HELD = 16
"""Batches that are written down together: a batch has a few rows, and writing takes as long for many."""
_LARGEST_BATCH = 16
_TRIED = 4
"""Pictures of a pass that could not be opened which are tried once more before it is taken for good."""
_UNWRITTEN = "The numbers of this set could not be written to this computer's disk"
_NOTHING_OPENS = "None of the pictures of this set can be opened any more. Upload it again."


def run_model(
    imageset: Pictures,
    model: Classifier,
    layer: str | None = None,
    corruption: str = "",
    job: Job[Any] | None = None,
) -> ModelOutputs:
    """Logits and pooled activations of a layer (None: the recommended one) for every picture of a set, changed first if so asked.

    Found on disk where the same was done before; gone on with where it was begun. `job` counts pictures. Raises UnknownName,
    InvalidParam, NotApplicable (no layer has picture-like maps), InvalidSet (no picture opens), Cancelled, and XaiError where the disk
    is full.
    """
    chosen, change = chosen_layer(model, layer), parse_corruption(corruption)
    key = pass_id(imageset.id, model, chosen.name, change.text if change else "")
    job = job or Job()
    found = _sound(key, imageset)
    if found is not None:
        return found
    about = About(
        set_id=imageset.id,
        model=model.name,
        layer=chosen.name,
        corruption=change.text if change else "",
        grid=chosen.grid,
        count=len(imageset),
        classes=len(model.labels),
        channels=channels_of(chosen),
    )
    try:
        with alone(key, job):
            found = _sound(key, imageset)  # another one may have made it while we waited
            if found is not None:
                return found
            return _made(key, about, Reader(imageset, model.preprocessing, change), model, chosen, job)
    except OSError as error:
        raise XaiError(
            f"{_UNWRITTEN} ({error.strerror or 'unknown trouble'}). Make room there and try again."
        ) from error


def _sound(key: str, pictures: Pictures) -> ModelOutputs | None:
    """The pass of an id, unless a picture that could not be opened then, in a folder that was away perhaps, can be opened now."""
    found = find_run(key)
    if found is None or not any(_opens(pictures, row) for row in np.flatnonzero(found.unopened)[:_TRIED].tolist()):
        return found
    forget_pass(key)
    return None


def _opens(pictures: Pictures, row: int) -> bool:
    try:
        pictures.open(row)
    except XaiError:
        return False
    return True


def chosen_layer(model: Classifier, name: str | None = None) -> Layer:
    """The layer of this name, or the recommended one. Two names of one tensor give the same. Raises as `run_pass` does."""
    found = model.recommended_layer if name is None else model.layer(name)
    if found is None:
        raise NotApplicable(f"No layer of {model.title} has picture-like maps, so it cannot place pictures on a map.")
    found = model.layer(found.alias_of) if found.alias_of else found
    if found.grid[0] * found.grid[1] > MOST_PLACES:
        raise InvalidParam(
            f"The layer {found.name!r} is too fine: at most {MOST_PLACES:,} places are allowed. Choose a later layer."
        )
    return found


def channels_of(layer: Layer) -> int:
    """How many channels a layer has: numbers in a row of `Pass.pooled`."""
    return layer.shape[0] if layer.layout == "channels_first" else layer.shape[-1]


def _made(key: str, about: About, reader: Reader, model: Classifier, layer: Layer, job: Job[Any]) -> ModelOutputs:
    if model.preprocessing.channels == 3:
        resize.soon()
    folder = workbench(key)
    unfinished = ResumableArrays(folder, about.count, about.columns())
    try:
        _Run(unfinished, about, job).through(reader, forward_with_features(model, layer))
    finally:
        unfinished.close()
    if map_arrays(folder, about.count, about.columns())["failed"].all():
        shutil.rmtree(folder, ignore_errors=True)
        raise InvalidSet(_NOTHING_OPENS)
    return settle(key, about)


@dataclass
class _Run:
    """The rows that are still to be done: decoded, run in order, written down."""

    unfinished: ResumableArrays
    about: About
    job: Job[Any]
    saved: float = field(default_factory=time.monotonic)
    held: list[tuple[Bool, torch.Tensor]] = field(default_factory=list)
    """What was found since the last writing, batch by batch."""

    def through(self, reader: Reader, forward: Forward) -> None:
        """Go through what is left. However it ends, what was done is saved."""
        start, count, size = self.unfinished.done, self.about.count, forward.micro_batch
        self.job.expect(self.job.done + count - start)
        parts = (range(first, min(first + size, count)) for first in range(start, count, size))
        under_way: deque[tuple[Batch, Task[torch.Tensor] | None]] = deque()
        try:
            with closing(prefetch(reader.batch, parts, _AHEAD)) as batches:
                for batch in batches:
                    under_way.append((batch, forward.submit(batch.seen, self.job) if len(batch.seen) else None))
                    if len(under_way) > _UNDER_WAY:
                        self._take(*under_way.popleft())
            while under_way:
                self._take(*under_way.popleft())
        finally:
            for _, task in under_way:
                if task is not None:
                    task.cancel()
            self._write()
            self.unfinished.save()

    def _take(self, batch: Batch, task: Task[torch.Tensor] | None) -> None:
        answer = task.wait() if task is not None else torch.empty(0, self.about.classes + 3 * self.about.channels)
        self.held.append((batch.good, answer))
        if len(self.held) >= _HELD:
            self._write()
        if time.monotonic() - self.saved > SAVE_S:
            self._write()
            self.unfinished.save()
            self.saved = time.monotonic()
        self.job.tick(len(batch.rows))

    def _write(self) -> None:
        if not self.held:
            return
        good, answers = zip(*self.held, strict=True)
        opened, found = np.concatenate(good), WithFeatures.from_rows(torch.cat(answers), self.about.channels)
        names = {"logits": found.logits, "pooled": found.mean, "peak": found.max}
        rows = {name: _spread(part, opened, np.nan) for name, part in names.items()}
        self.unfinished.append(rows | {"where": _spread(found.argmax, opened, 0), "failed": ~opened})
        self.held.clear()


def _spread(found: torch.Tensor, good: Bool, otherwise: float) -> Float32:
    """One row for every picture, (n, …), of the rows of those that opened."""
    if good.all():
        return found.numpy()
    rows = np.full((len(good), *found.shape[1:]), otherwise, dtype=np.float32)
    rows[good] = found.numpy()
    return rows


_POOL = JobPool("runs", workers=2, quick_workers=1, keep=16, timeout=CLOSED_TAB_S)


def start_run(
    set_id: str, model_name: str, layer: str | None = None, corruption: str = "", session_id: str = ""
) -> Job[ModelOutputs]:
    """`run_pass` in the background: the job to watch, whose `key` is the id of the pass. Equal requests share one.

    A pass that is kept is there at once; what failed or was stopped goes on. The model should be in memory already, or this waits for
    it. Raises what `run_pass` raises about its arguments, and UnknownName where the set is gone.
    """
    imageset = find_set(set_id)
    if imageset is None:
        raise UnknownName(GONE)
    model = load_model(model_name)
    chosen, change = chosen_layer(model, layer), parse_corruption(corruption)
    key = pass_id(set_id, model, chosen.name, change.text if change else "")
    kept = _sound(key, imageset)
    if kept is not None:
        return _POOL.put(key, kept, session_id)

    def work(job: Job[ModelOutputs]) -> ModelOutputs:
        return run_model(imageset, model, chosen.name, corruption, job)

    batch_bytes = model.preprocessing.channels * model.side**2 * _LARGEST_BATCH
    return _POOL.start(
        key, work, cost=len(imageset), session_id=session_id, memory=(_UNDER_WAY + _AHEAD + 1) * batch_bytes
    )
