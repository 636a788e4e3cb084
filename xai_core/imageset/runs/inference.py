"""One run of a model over a set: logits and a layer's pooled activations of every picture, kept on disk.

Pictures are decoded by a few threads while the shared engine works on earlier ones, batch by batch in its queue, so
that other visitors get their turns. What is done is on disk every few seconds: a stopped run is continued from there.
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
from xai_core.imageset.image_set import GONE
from xai_core.imageset.prefetch import prefetch
from xai_core.imageset.row_arrays import ResumableArrays, map_arrays
from xai_core.imageset.runs.corruptions import parse_corruption
from xai_core.imageset.runs.disk import RunMetadata, cache, commit, find_run, make_run_id
from xai_core.imageset.runs.loader import Batch, Pictures, Reader
from xai_core.imageset.runs.outputs import ModelOutputs
from xai_core.imageset.sets.library import find_set
from xai_core.models import load_model
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer

# A kill costs at most the work of so many seconds.
SAVE_S = 4.0
# Places of a layer's grid that two bytes can number.
MAX_PLACES = 2**16
# Batches in the engine's queue at a time: one for each worker, and one to follow it at once.
_MAX_SUBMITTED = 2 * cores.WORKERS
# Batches that are decoded and wait.
_AHEAD = 2 * cores.WORKERS
# Batches: one has few rows, and writing takes as long for many.
_WRITTEN_TOGETHER = 16
_MAX_BATCH = 16
# Pictures that could not be opened in a stored run and are tried once more before it is used.
_RETRIED = 4
_UNWRITTEN = "The numbers of this set could not be written to this computer's disk"
_NOTHING_OPENS = "None of the pictures of this set can be opened any more. Upload it again."


def run_model(
    dataset: Pictures, model: Classifier, layer: str | None = None, corruption: str = "", job: Job[Any] | None = None
) -> ModelOutputs:
    """Return logits and pooled activations of a layer (None: the recommended one) for every picture, corrupted first.

    Found on disk where the same was done before; continued where it was begun. `job` counts pictures. Raises
    UnknownName, InvalidParam, NotApplicable (no layer has picture-like maps), InvalidSet (no picture opens), Cancelled,
    and XaiError where the disk is full.
    """
    target_layer, level = choose_layer(model, layer), parse_corruption(corruption)
    corruption = level.text if level else ""
    run_id = make_run_id(dataset.id, model, target_layer.name, corruption)
    job = job or Job()
    run = _find_usable(run_id, dataset)
    if run is not None:
        return run
    metadata = RunMetadata(
        set_id=dataset.id,
        model=model.name,
        layer=target_layer.name,
        corruption=corruption,
        grid=target_layer.grid,
        count=len(dataset),
        classes=len(model.labels),
        channels=target_layer.channels,
    )
    try:
        with cache().exclusive(run_id, job.tick):
            # Another job may have made it in the meantime.
            run = _find_usable(run_id, dataset)
            if run is not None:
                return run
            reader = Reader(dataset, model.preprocessing, level)
            return _compute(run_id, metadata, reader, model, target_layer, job)
    except OSError as error:
        raise XaiError(
            f"{_UNWRITTEN} ({error.strerror or 'unknown trouble'}). Make room there and try again."
        ) from error


def start_run(
    set_id: str, model_name: str, layer: str | None = None, corruption: str = "", session_id: str = ""
) -> Job[ModelOutputs]:
    """Start `run_model` in the background: the job to watch, whose `key` is the run's id. Equal requests share one.

    A stored run is there at once; what failed or was stopped is continued. The model should be in memory already, or
    this waits for it. Raises what `run_model` raises about its arguments, and UnknownName where the set is gone.
    """
    dataset = find_set(set_id)
    if dataset is None:
        raise UnknownName(GONE)
    model = load_model(model_name)
    target_layer, level = choose_layer(model, layer), parse_corruption(corruption)
    run_id = make_run_id(set_id, model, target_layer.name, level.text if level else "")
    stored = _find_usable(run_id, dataset)
    if stored is not None:
        return _POOL.put(run_id, stored, session_id)

    def work(job: Job[ModelOutputs]) -> ModelOutputs:
        return run_model(dataset, model, target_layer.name, corruption, job)

    batch_bytes = model.preprocessing.channels * model.side**2 * _MAX_BATCH
    memory = (_MAX_SUBMITTED + _AHEAD + 1) * batch_bytes
    return _POOL.start(run_id, work, cost=len(dataset), session_id=session_id, memory=memory)


_POOL = JobPool("runs", workers=2, quick_workers=1, keep=16, timeout=CLOSED_TAB_S)


def choose_layer(model: Classifier, name: str | None = None) -> Layer:
    """Return the layer of this name, or the recommended one; two names of one tensor give the same.

    Raises as `run_model` does.
    """
    layer = model.recommended_layer if name is None else model.layer(name)
    if layer is None:
        raise NotApplicable(f"No layer of {model.title} has picture-like maps, so it cannot place pictures on a map.")
    layer = model.layer(layer.alias_of) if layer.alias_of else layer
    if layer.grid[0] * layer.grid[1] > MAX_PLACES:
        raise InvalidParam(
            f"The layer {layer.name!r} is too fine: at most {MAX_PLACES:,} places are allowed. Choose a later layer."
        )
    return layer


def _find_usable(run_id: str, pictures: Pictures) -> ModelOutputs | None:
    """Return a stored run, unless a picture that could not be opened then, on a drive that was away, opens now."""
    run = find_run(run_id)
    if run is None or not any(_opens(pictures, row) for row in np.flatnonzero(run.unopened)[:_RETRIED].tolist()):
        return run
    cache().forget(run_id)
    return None


def _opens(pictures: Pictures, row: int) -> bool:
    try:
        pictures.open(row)
    except XaiError:
        return False
    return True


def _compute(
    run_id: str, metadata: RunMetadata, reader: Reader, model: Classifier, layer: Layer, job: Job[Any]
) -> ModelOutputs:
    folder = cache().resumable(run_id)
    arrays = ResumableArrays(folder, metadata.count, metadata.array_specs())
    try:
        _Writer(arrays, metadata, job).run(reader, forward_with_features(model, layer))
    finally:
        arrays.close()
    if map_arrays(folder, metadata.count, metadata.array_specs())["failed"].all():
        shutil.rmtree(folder, ignore_errors=True)
        raise InvalidSet(_NOTHING_OPENS)
    return commit(run_id, metadata)


@dataclass
class _Writer:
    """Runs the rows that are still to be done, in order, and writes their outputs."""

    arrays: ResumableArrays
    metadata: RunMetadata
    job: Job[Any]
    save_time: float = field(default_factory=time.monotonic)
    pending: list[tuple[Bool, torch.Tensor]] = field(default_factory=list)
    """Outputs since the last writing, batch by batch."""

    def run(self, reader: Reader, forward: Forward) -> None:
        """Run all rows that are left. However it ends, what was done is saved."""
        start, count, size = self.arrays.done, self.metadata.count, forward.micro_batch
        self.job.expect(self.job.done + count - start)
        row_ranges = (range(first, min(first + size, count)) for first in range(start, count, size))
        submitted: deque[tuple[Batch, Task[torch.Tensor] | None]] = deque()
        try:
            with closing(prefetch(reader.batch, row_ranges, _AHEAD)) as batches:
                for batch in batches:
                    task = forward.submit(batch.inputs, self.job) if len(batch.inputs) else None
                    submitted.append((batch, task))
                    if len(submitted) > _MAX_SUBMITTED:
                        self._collect(*submitted.popleft())
            while submitted:
                self._collect(*submitted.popleft())
        finally:
            for _, task in submitted:
                if task is not None:
                    task.cancel()
            self._write()
            self.arrays.save()

    def _collect(self, batch: Batch, task: Task[torch.Tensor] | None) -> None:
        """Wait for the outputs of a batch, and write or save when it is time."""
        columns = self.metadata.classes + 3 * self.metadata.channels
        outputs = task.wait() if task is not None else torch.empty(0, columns)
        self.pending.append((batch.opened, outputs))
        if len(self.pending) >= _WRITTEN_TOGETHER:
            self._write()
        if time.monotonic() - self.save_time > SAVE_S:
            self._write()
            self.arrays.save()
            self.save_time = time.monotonic()
        self.job.tick(len(batch.rows))

    def _write(self) -> None:
        if not self.pending:
            return
        opened_parts, output_parts = zip(*self.pending, strict=True)
        opened = np.concatenate(opened_parts)
        outputs = WithFeatures.from_rows(torch.cat(output_parts), self.metadata.channels)
        self.arrays.append(
            {
                "logits": _fill_rows(outputs.logits, opened, np.nan),
                "pooled": _fill_rows(outputs.mean, opened, np.nan),
                "peak": _fill_rows(outputs.max, opened, np.nan),
                "where": _fill_rows(outputs.argmax, opened, 0),
                "failed": ~opened,
            }
        )
        self.pending.clear()


def _fill_rows(outputs: torch.Tensor, opened: Bool, fill: float) -> Float32:
    """Return one row for every picture, (n, …), from those of the pictures that opened."""
    if opened.all():
        return outputs.numpy()
    rows = np.full((len(opened), *outputs.shape[1:]), fill, dtype=np.float32)
    rows[opened] = outputs.numpy()
    return rows
