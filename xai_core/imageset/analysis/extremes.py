"""Pictures at either end of a class or a channel, and the mistakes a model is surest of.

Equal values come in the order of rows, so that every way of computing gives the same answer. Pictures without an answer
are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Bool, Float32, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.imageset.analysis.top_k import ROWS_A_BLOCK, RunningTop
from xai_core.imageset.rows import check_count, check_index, count_ties_at_end, iter_blocks
from xai_core.imageset.runs.outputs import ModelOutputs, softmax

Score = Literal["probability", "logit"]
Measure = Literal["maximum", "mean"]


class Extremes(NamedTuple):
    """Rows of the pictures with the highest values, highest first, and with the lowest, lowest first."""

    top: Int64
    bottom: Int64


def all_channel_extremes(batches: Iterable[tuple[npt.ArrayLike, Float32]], k: int = 12) -> Extremes:
    """Return the k highest and lowest rows of every channel, (C, k) each, in one go over (rows (n,), values (n, C)).

    -1 where there are fewer than k rows. Raises InvalidParam.

    >>> all_channel_extremes([([0, 1, 2], np.float32([[3], [1], [2]]))], k=2).top.tolist()
    [[0, 2]]
    """
    ends: tuple[RunningTop, RunningTop] | None = None
    for rows, values in batches:
        ends = ends or (RunningTop(values.shape[1], check_count(k)), RunningTop(values.shape[1], k, largest=False))
        for end in ends:
            end.add(rows, values)
    if ends is None:
        raise InvalidParam("There are no pictures to choose from.")
    return Extremes(*(end.rows for end in ends))


def run_extremes(run: ModelOutputs, k: int = 12, by: Measure = "maximum", job: Job[Any] | None = None) -> Extremes:
    """Return `all_channel_extremes` of a run, by the maximum or mean in a picture. `job` counts pictures."""
    values, job = _channel_values(run, by), job or Job()
    job.expect(job.done + len(run))

    def iter_batches() -> Iterable[tuple[Int64, Float32]]:
        for block in iter_blocks(len(run), ROWS_A_BLOCK, job, len(run)):
            valid = np.flatnonzero(run.valid[block])
            yield valid + block.start, values[block][valid]

    return all_channel_extremes(iter_batches(), k)


def class_extremes(run: ModelOutputs, class_index: int, k: int = 12, by: Score = "probability") -> Extremes:
    """Return the pictures with the highest and lowest probability or logit of a class, at most k each.

    Raises InvalidParam.
    """
    _check_choice("by", by, Score)
    check_index("class", class_index, run.logits.shape[1])
    values = np.empty(len(run), dtype=np.float32)
    for block in iter_blocks(len(run), ROWS_A_BLOCK, Job()):
        logits = np.asarray(run.logits[block])
        values[block] = (softmax(logits) if by == "probability" else logits)[:, class_index]
    return _select_ends(values, run.valid, k)


def channel_extremes(run: ModelOutputs, channel: int, k: int = 12, by: Measure = "maximum") -> Extremes:
    """Return the pictures with the highest and lowest maximum or mean of a channel. Raises InvalidParam."""
    values = _channel_values(run, by)
    check_index("channel", channel, values.shape[1])
    return _select_ends(np.asarray(values[:, channel]), run.valid, k)


def count_ties(run: ModelOutputs, values: npt.ArrayLike, rows: npt.ArrayLike) -> int:
    """Count pictures beside `rows`, an end of the set, whose of `values` (N,) equals that of the last of them."""
    population = np.asarray(values)
    return count_ties_at_end(population[run.valid], population[np.asarray(rows, dtype=np.intp)])


def confident_mistakes(run: ModelOutputs, truth: npt.ArrayLike, k: int = 12) -> Int64:
    """Return the rows, at most k, where the model is wrong, the surest first.

    `truth` (N,) has the model's class of each picture, or -1.
    """
    classes = np.asarray(truth)
    if classes.shape != (len(run),):
        raise InvalidParam(f"There must be one true class for each of the {len(run)} pictures. Got {classes.size}.")
    return _select_ends(run.confidence, (classes >= 0) & (run.predictions != classes) & run.valid, k).top


def _select_ends(values: Float32, candidates: Bool, k: int) -> Extremes:
    rows = np.flatnonzero(candidates & np.isfinite(values))
    finite, k = values[rows], check_count(k)
    return Extremes(rows[np.argsort(-finite, kind="stable")[:k]], rows[np.argsort(finite, kind="stable")[:k]])


def _channel_values(run: ModelOutputs, by: Measure) -> Float32:
    _check_choice("by", by, Measure)
    return run.max if by == "maximum" else run.mean


def _check_choice(name: str, value: str, kind: Any) -> None:
    if value not in get_args(kind):
        raise InvalidParam(
            f"The way to sort ({name}) must be one of {', '.join(get_args(kind))}. Got {str(value)[:60]!r}."
        )
