"""The pictures that a single neuron answers to most and least: a channel at one place of the layer's grid.

A pass keeps no neurons, but the maximum of each channel, which no neuron of it can beat. So for the most pictures are tried from the
highest maximum down until none that is left can get among the best (the threshold algorithm: Fagin, Lotem and Naor 2003,
doi:10.1016/S0022-0000(03)00026-6). That is exact, and takes about k forward passes for each place of the grid, however large the set is.
For the least nothing of the kind is known, and every picture is tried.
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
    """Row numbers, those of the end first, the neuron's values there, how many pictures had to be tried, and how many more have the last
    value.
    """

    rows: Int64
    values: Float32
    tried: int
    tied: int


def neuron_top(
    found: ModelOutputs,
    channel: int,
    place: tuple[int, int],
    k: int = 12,
    imageset: Pictures | None = None,
    model: Classifier | None = None,
    job: Job[Any] | None = None,
) -> NeuronEnd:
    """The pictures, at most k, in which the channel is highest at this (row, column) of the layer's grid.

    `job` counts pictures tried. Raises InvalidParam, UnknownName (the set is gone), Cancelled.
    """
    return _Neuron.of(found, channel, place, k, imageset, model).end(k, largest=True, job=job or Job())


def neuron_bottom(
    found: ModelOutputs,
    channel: int,
    place: tuple[int, int],
    k: int = 12,
    imageset: Pictures | None = None,
    model: Classifier | None = None,
    job: Job[Any] | None = None,
) -> NeuronEnd:
    """The pictures, at most k, in which the channel is lowest at this (row, column), lowest first. Raises as `neuron_top` does."""
    return _Neuron.of(found, channel, place, k, imageset, model).end(k, largest=False, job=job or Job())


@dataclass(frozen=True, eq=False)
class _Neuron:
    """One neuron and the pictures it is asked about."""

    reader: Reader
    model: Classifier
    layer: str
    channel: int
    place: tuple[int, int]
    good: Int64
    """Rows that opened in the pass."""
    max: Float32
    here: Bool
    """Where the channel's maximum is the neuron itself, so that its value is known."""

    @classmethod
    def of(
        cls,
        found: ModelOutputs,
        channel: int,
        place: tuple[int, int],
        k: int,
        imageset: Pictures | None,
        model: Classifier | None,
    ) -> _Neuron:
        flat = _checked(found, channel, place, k)
        reader, model = reader_of(found, imageset, model)
        here = np.asarray(found.argmax[:, channel]) == flat
        return cls(
            reader,
            model,
            found.layer,
            channel,
            place,
            np.flatnonzero(found.valid),
            np.asarray(found.max[:, channel]),
            here,
        )

    def end(self, k: int, largest: bool, job: Job[Any]) -> NeuronEnd:
        """The k pictures of one end. For the largest they are tried by their peaks, until those left lie under the last of the best."""
        order = self.good[np.argsort(-self.max[self.good], kind="stable")] if largest else self.good
        best, tried, all_values = RunningTop(1, k, largest), 0, [np.zeros(0, dtype=np.float32)]
        job.expect(job.done + len(order))
        for start in range(0, len(order), _TRIED_AT_ONCE):
            rows = order[start : start + _TRIED_AT_ONCE]
            if largest and self.max[rows[0]] < best.values[0, -1]:  # NaN, and so False, while there are fewer than k
                break
            values, asked = self.values(rows, job)
            best.add(rows, values[:, None])
            all_values.append(values)
            tried += asked
        kept = best.rows[0] >= 0
        rows, values = best.rows[0][kept], best.values[0][kept]
        return NeuronEnd(rows, values, tried, count_ties_at_end(np.concatenate(all_values), values))

    def values(self, rows: Int64, job: Job[Any]) -> tuple[Float32, int]:
        """What it says to these rows, (n,), NaN where a picture does not open any more; and of how many it had to be asked."""
        values, unknown = self.max[rows].copy(), ~self.here[rows]
        values[unknown] = _values(self.reader, self.model, self.layer, rows[unknown], self.channel, self.place, job)
        job.tick(len(rows))
        return values, int(unknown.sum())


def _checked(found: ModelOutputs, channel: int, place: tuple[int, int], k: int) -> int:
    """The flat number of the place. Raises InvalidParam."""
    (row, column), (height, width), channels = place, found.grid, found.max.shape[1]
    if not (0 <= channel < channels and 0 <= row < height and 0 <= column < width):
        raise InvalidParam(
            f"A neuron of this layer has a channel from 0 to {channels - 1}, a row from 0 to {height - 1} and a column from 0 to "
            f"{width - 1}. Got {channel}, {row}, {column}."
        )
    check_count(k)
    return row * width + column


def _values(
    reader: Reader,
    model: Classifier,
    layer: str,
    rows: Int64,
    channel: int,
    place: tuple[int, int],
    job: Job[Any],
) -> Float32:
    """The neuron in each of these pictures, (n,); NaN where one does not open any more."""
    values = np.full(len(rows), np.nan, dtype=np.float32)
    inputs: dict[int, torch.Tensor] = {}
    for number, row in enumerate(rows.tolist()):
        try:
            inputs[number] = reader.input(row)
        except InvalidImage:
            continue
    if inputs:
        with SCHEDULER.slot(job, len(inputs)):
            maps = logits_and_maps(model.module, model.layer(layer), torch.cat(list(inputs.values())).to(model.device))[
                1
            ]
        values[list(inputs)] = maps[:, channel, place[0], place[1]].cpu().numpy()
    return values
