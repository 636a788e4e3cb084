"""Pictures at either end of a single neuron: a channel at one place of the layer's grid.

A run keeps no neurons, but the maximum of each channel, which no neuron of it can beat. So for the top, pictures are
tried from the highest maximum down until none that is left can get among the best (the threshold algorithm: Fagin,
Lotem and Naor 2003, doi:10.1016/S0022-0000(03)00026-6). That is exact, and takes about k forward passes for each place
of the grid, however large the set is. For the bottom nothing of the kind is known, and every picture is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from xai_core.arrays import Bool, Float32, Int64
from xai_core.engine.backends.with_features import logits_and_maps
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.errors import InvalidImage, InvalidParam
from xai_core.imageset.analysis.top_k import RunningTop
from xai_core.imageset.rows import check_count, count_ties_at_end
from xai_core.imageset.runs.loader import Pictures, Reader
from xai_core.imageset.runs.model_input import reader_of
from xai_core.imageset.runs.outputs import ModelOutputs
from xai_core.models.classifier import Classifier

_TRIED_AT_ONCE = 8


class NeuronEnd(NamedTuple):
    """Rows of one end, the neuron's values there, the number of pictures tried, and of those that equal the last."""

    rows: Int64
    values: Float32
    tried: int
    ties: int


def neuron_top(
    run: ModelOutputs,
    channel: int,
    place: tuple[int, int],
    k: int = 12,
    dataset: Pictures | None = None,
    model: Classifier | None = None,
    job: Job[Any] | None = None,
) -> NeuronEnd:
    """Return the pictures, at most k, with the highest value of the channel at this (row, column) of the layer's grid.

    `job` counts pictures tried. Raises InvalidParam, UnknownName (the set is gone), Cancelled.
    """
    return _Neuron.from_run(run, channel, place, k, dataset, model).find_end(k, largest=True, job=job or Job())


def neuron_bottom(
    run: ModelOutputs,
    channel: int,
    place: tuple[int, int],
    k: int = 12,
    dataset: Pictures | None = None,
    model: Classifier | None = None,
    job: Job[Any] | None = None,
) -> NeuronEnd:
    """Return the pictures, at most k, with the lowest value, lowest first. Raises as `neuron_top` does."""
    return _Neuron.from_run(run, channel, place, k, dataset, model).find_end(k, largest=False, job=job or Job())


@dataclass(frozen=True, eq=False)
class _Neuron:
    """One neuron and the pictures of a run."""

    reader: Reader
    model: Classifier
    layer: str
    channel: int
    place: tuple[int, int]
    rows: Int64
    """Rows that have an answer."""
    max: Float32
    """The channel's maximum in each picture of the set."""
    at_max: Bool
    """Pictures in which the neuron is the place of the maximum, so that its value is known."""

    @classmethod
    def from_run(
        cls,
        run: ModelOutputs,
        channel: int,
        place: tuple[int, int],
        k: int,
        dataset: Pictures | None,
        model: Classifier | None,
    ) -> _Neuron:
        flat_place = _check_place(run, channel, place, k)
        reader, model = reader_of(run, dataset, model)
        at_max = np.asarray(run.argmax[:, channel]) == flat_place
        maximum = np.asarray(run.max[:, channel])
        return cls(reader, model, run.layer, channel, place, np.flatnonzero(run.valid), maximum, at_max)

    def find_end(self, k: int, largest: bool, job: Job[Any]) -> NeuronEnd:
        """Return the k pictures of one end. For the top, stop where the maximum falls below the last of the best."""
        order = self.rows[np.argsort(-self.max[self.rows], kind="stable")] if largest else self.rows
        best, tried, all_values = RunningTop(1, k, largest), 0, [np.zeros(0, dtype=np.float32)]
        job.expect(job.done + len(order))
        for start in range(0, len(order), _TRIED_AT_ONCE):
            rows = order[start : start + _TRIED_AT_ONCE]
            # The last of the best is NaN, and this False, while there are fewer than k.
            if largest and self.max[rows[0]] < best.values[0, -1]:
                break
            values, computed = self.values(rows, job)
            best.add(rows, values[:, None])
            all_values.append(values)
            tried += computed
        filled = best.rows[0] >= 0
        rows, values = best.rows[0][filled], best.values[0][filled]
        return NeuronEnd(rows, values, tried, count_ties_at_end(np.concatenate(all_values), values))

    def values(self, rows: Int64, job: Job[Any]) -> tuple[Float32, int]:
        """Return the neuron's values, (n,), NaN where a picture does not open any more; and how many were computed."""
        values, unknown = self.max[rows].copy(), ~self.at_max[rows]
        values[unknown] = self._compute(rows[unknown], job)
        job.tick(len(rows))
        return values, int(unknown.sum())

    def _compute(self, rows: Int64, job: Job[Any]) -> Float32:
        """Compute the neuron in each of these pictures, (n,); NaN where one does not open any more."""
        values = np.full(len(rows), np.nan, dtype=np.float32)
        inputs: dict[int, torch.Tensor] = {}
        for number, row in enumerate(rows.tolist()):
            try:
                inputs[number] = self.reader.tensor(row)
            except InvalidImage:
                continue
        if inputs:
            batch = torch.cat(list(inputs.values())).to(self.model.device)
            with SCHEDULER.slot(job, len(inputs)):
                _, maps = logits_and_maps(self.model.module, self.model.layer(self.layer), batch)
            row, column = self.place
            values[list(inputs)] = maps[:, self.channel, row, column].cpu().numpy()
        return values


def _check_place(run: ModelOutputs, channel: int, place: tuple[int, int], k: int) -> int:
    """Return the flat number of the place. Raises InvalidParam."""
    (row, column), (height, width), channels = place, run.grid, run.max.shape[1]
    if not (0 <= channel < channels and 0 <= row < height and 0 <= column < width):
        raise InvalidParam(
            f"A neuron of this layer has a channel from 0 to {channels - 1}, a row from 0 to {height - 1} "
            f"and a column from 0 to {width - 1}. Got {channel}, {row}, {column}."
        )
    check_count(k)
    return row * width + column
