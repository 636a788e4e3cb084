"""The pictures at either end: those a class or a channel answers to most and least, and the mistakes a model is surest of.

Equal values come in the order of rows, so that every way of computing gives the same answer. Pictures that failed are left out.
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
    """Row numbers of the pictures with the highest values, highest first, and with the lowest, lowest first."""

    top: Int64
    bottom: Int64


def all_channel_extremes(batches: Iterable[tuple[npt.ArrayLike, Float32]], k: int = 12) -> Extremes:
    """The k highest and lowest rows of every channel, (C, k) each, in one go over pieces of (rows (n,), values (n, C)).

    -1 where there are fewer than k rows. Raises InvalidParam.
    """
    best: tuple[RunningTop, RunningTop] | None = None
    for rows, values in batches:
        best = best or (RunningTop(values.shape[1], check_count(k)), RunningTop(values.shape[1], k, largest=False))
        for each in best:
            each.add(rows, values)
    if best is None:
        raise InvalidParam("There are no pictures to choose from.")
    return Extremes(*(each.rows for each in best))


def run_extremes(found: ModelOutputs, k: int = 12, by: Measure = "maximum", job: Job[Any] | None = None) -> Extremes:
    """`all_channel_extremes` of a pass: by the channel's maximum in a picture or by its mean. `job` counts pictures."""
    values, job = _measured(found, by), job or Job()
    job.expect(job.done + len(found))

    def pieces() -> Iterable[tuple[Int64, Float32]]:
        for part in iter_blocks(len(found), ROWS_A_BLOCK, job, len(found)):
            good = np.flatnonzero(found.valid[part])
            yield good + part.start, values[part][good]

    return all_channel_extremes(pieces(), k)


def class_extremes(found: ModelOutputs, class_index: int, k: int = 12, by: Score = "probability") -> Extremes:
    """The pictures the model gives a class most and least, by its probability or its logit (at most k each). Raises InvalidParam."""
    _check_choice("by", by, Score)
    check_index("class", class_index, found.logits.shape[1])
    values = np.empty(len(found), dtype=np.float32)
    for part in iter_blocks(len(found), ROWS_A_BLOCK, Job()):
        logits = np.asarray(found.logits[part])
        values[part] = (softmax(logits) if by == "probability" else logits)[:, class_index]
    return _ends(values, found.valid, k)


def channel_extremes(found: ModelOutputs, channel: int, k: int = 12, by: Measure = "maximum") -> Extremes:
    """The pictures a channel of the layer answers to most and least, by its maximum or its mean over the picture. Raises InvalidParam."""
    values = _measured(found, by)
    check_index("channel", channel, values.shape[1])
    return _ends(np.asarray(values[:, channel]), found.valid, k)


def count_ties(found: ModelOutputs, values: npt.ArrayLike, rows: npt.ArrayLike) -> int:
    """How many pictures beside these `rows`, one end of the set, have the same of `values` (N,) as the last of them."""
    everybody = np.asarray(values)
    return count_ties_at_end(everybody[found.valid], everybody[np.asarray(rows, dtype=np.intp)])


def confident_mistakes(found: ModelOutputs, truth: npt.ArrayLike, k: int = 12) -> Int64:
    """The rows, at most k, where the model is wrong, the surest first. `truth` (N,) has the model's class of each picture, or -1."""
    classes = np.asarray(truth)
    if classes.shape != (len(found),):
        raise InvalidParam(f"There must be one true class for each of the {len(found)} pictures. Got {classes.size}.")
    return _ends(found.confidence, (classes >= 0) & (found.predictions != classes) & found.valid, k).top


def _ends(values: Float32, among: Bool, k: int) -> Extremes:
    rows = np.flatnonzero(among & np.isfinite(values))
    chosen, k = values[rows], check_count(k)
    return Extremes(rows[np.argsort(-chosen, kind="stable")[:k]], rows[np.argsort(chosen, kind="stable")[:k]])


def _measured(found: ModelOutputs, by: Measure) -> Float32:
    _check_choice("by", by, Measure)
    return found.max if by == "maximum" else found.mean


def _check_choice(name: str, value: str, kind: Any) -> None:
    if value not in get_args(kind):
        raise InvalidParam(
            f"The way to sort ({name}) must be one of {', '.join(get_args(kind))}. Got {str(value)[:60]!r}."
        )
