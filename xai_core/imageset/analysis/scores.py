"""How good a model is on a set of labelled pictures: the usual scores, each with one plain sentence, by scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Bool, Float32, Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.imageset.analysis.sentences import sentences
from xai_core.imageset.rows import check_index, iter_blocks
from xai_core.models import load_model

if TYPE_CHECKING:
    from xai_core.imageset.runs.outputs import ModelOutputs

BINS = 10
_BLOCK_BYTES = 16 * 2**20


@dataclass(frozen=True)
class ClassScore:
    """One class of the model, against all others. NaN where a score is not defined."""

    index: int
    name: str
    count: int
    """Pictures that are of this class."""
    said: int
    """Pictures that the model calls so."""
    precision: float
    recall: float
    f1: float
    auc: float
    """Area under the ROC curve of its probability, 0..1: how often a picture of it gets a higher one than a picture that is not."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Ten equal bins of the probability given to the likeliest class; those that hold pictures. `error` is the expected calibration
    error (Naeini et al. 2015), 0..1: how far the probabilities are off on average.
    """

    confidence: Float64
    """Mean probability in the bin, (B,)."""
    accuracy: Float64
    """Share of its pictures that are right, (B,)."""
    counts: Int64
    bins: Int64
    """Their numbers, 0 to 9: bin b holds the probabilities above b / 10 and up to (b + 1) / 10."""
    error: float


@dataclass(frozen=True, eq=False)
class SetScores:
    """The scores of one pass over a set, of the pictures whose class the model knows. `sentences` has a text for each number."""

    count: int
    """Pictures judged."""
    left_out: int
    """Pictures without a label that the model knows, or that could not be read."""
    accuracy: float
    top5: float
    """Share of pictures whose class is among the five likeliest (of all, where the model has fewer)."""
    precision: float
    """Mean over the classes that occur, as are recall, F1 and ROC AUC."""
    recall: float
    f1: float
    auc: float
    classes: tuple[ClassScore, ...]
    """Those that occur, as truth or as answer, by index."""
    confusion: Int64
    """(K, K) in the order of `classes`: row the truth, column what the model says."""
    calibration: Calibration
    sentences: Mapping[str, str]
    """accuracy, top5, precision, recall, f1, auc, calibration, confusion."""


def score_set(
    run: ModelOutputs, truth: npt.ArrayLike, labels: Sequence[str] | None = None, job: Job[Any] | None = None
) -> SetScores:
    """Scores of a pass against the model's class of each picture (N,), -1 where it is not known (`ImageSet.known_as`).

    `labels` names the model's classes; None asks the model. `job` counts classes. Raises NotApplicable where no picture has a class that
    the model knows, InvalidParam, Cancelled.
    """
    names = load_model(run.model).labels if labels is None else labels
    job, rows, truth, left_out = job or Job(), *_known(run, truth)
    heights = _heights(run.logits, rows, truth, job)
    said = heights.best
    found = np.unique(np.concatenate([truth, said]))
    job.expect(job.done + len(found))
    classes = tuple(_class_scores(run.logits, rows, truth, heights, found, names, job))
    right = said == truth
    values = {
        "accuracy": float(right.mean()),
        "top5": float((heights.better < 5).mean()),
        **{
            name: _mean([getattr(each, name) for each in classes if each.count])
            for name in ("precision", "recall", "f1", "auc")
        },
    }
    confusion = _confusion(truth, said, found)
    calibration = _calibration(heights.confidence, right)
    texts = sentences(values, len(rows), classes, confusion, calibration.error)
    return SetScores(
        count=len(rows),
        left_out=left_out,
        **values,
        classes=classes,
        confusion=confusion,
        calibration=calibration,
        sentences=MappingProxyType(texts),
    )


def confusion_rows(truth: npt.ArrayLike, predicted: npt.ArrayLike, actual: int, said: int) -> Int64:
    """Row numbers of the pictures of class `actual` that the model calls `said`: what lies behind one cell of the confusion matrix."""
    return np.flatnonzero((np.asarray(truth) == actual) & (np.asarray(predicted) == said))


def calibration_rows(run: ModelOutputs, truth: npt.ArrayLike, number: int) -> Int64:
    """Row numbers of the pictures behind one bin of `Calibration`, by its number in `bins`. Raises InvalidParam."""
    check_index("bin", number, BINS)
    rows = _rows_of(run, truth)[0]
    behind: Int64 = rows[_bins(np.asarray(run.confidence)[rows]) == number]
    return behind


def losses(run: ModelOutputs, truth: npt.ArrayLike) -> Float32:
    """(N,) how surprised the model is by each picture's class: the cross-entropy, -log of its probability, in nats; NaN where unknown."""
    found = np.full(len(run.logits), np.nan, dtype=np.float32)
    known, classes = _rows_of(run, truth)
    for part in _row_blocks(run.logits, len(known)):
        rows = known[part]
        logits = np.asarray(run.logits[rows], dtype=np.float64)
        found[rows] = _log_sum(logits) - logits[np.arange(len(rows)), classes[part]]
    return found


def _rows_of(run: ModelOutputs, truth: npt.ArrayLike) -> tuple[Int64, Int64]:
    """Rows that were read and whose class is known, and their classes. Raises InvalidParam."""
    given = np.asarray(truth)
    count, classes = run.logits.shape
    if (
        given.shape != (count,)
        or given.dtype.kind not in "iu"
        or (count and not -1 <= given.min() <= given.max() < classes)
    ):
        raise InvalidParam(
            f"Each of the {count:,} pictures needs a class from 0 to {classes - 1}, or -1. Got an array of shape {given.shape} "
            f"and kind {given.dtype}."
        )
    rows = np.flatnonzero((given >= 0) & np.asarray(run.valid))
    answered = [np.isfinite(run.logits[rows[part]]).all(axis=1) for part in _row_blocks(run.logits, len(rows))]
    rows = rows[np.concatenate(answered)] if answered else rows
    return rows, given[rows].astype(np.int64)


def _known(run: ModelOutputs, truth: npt.ArrayLike) -> tuple[Int64, Int64, int]:
    rows, classes = _rows_of(run, truth)
    if not len(rows):
        raise NotApplicable(
            "No picture here has a label that the model knows, so nobody can tell which answers are right. "
            "Choose a model that knows these labels, or name the folders of your pictures as the model names its classes."
        )
    return rows, classes, len(run.logits) - len(rows)


@dataclass(frozen=True, eq=False)
class _Heights:
    """What one look over all logits gives for each picture judged, (n,) each."""

    best: Int64
    """The likeliest class."""
    confidence: Float64
    """Its probability."""
    log_sum: Float64
    """The logarithm of the sum of all exponentials: a logit less this is the logarithm of a probability."""
    better: Int64
    """How many classes come before the true one."""


def _heights(logits: Float32, rows: Int64, truth: Int64, job: Job[Any]) -> _Heights:
    best, better = np.empty(len(rows), dtype=np.int64), np.empty(len(rows), dtype=np.int64)
    confidence, log_sum = np.empty(len(rows)), np.empty(len(rows))
    for part in _row_blocks(logits, len(rows), job):
        block = np.asarray(logits[rows[part]], dtype=np.float64)
        own = block[np.arange(len(block)), truth[part]]
        best[part] = block.argmax(axis=1)
        log_sum[part] = _log_sum(block)
        confidence[part] = np.exp(block.max(axis=1) - log_sum[part])
        # Of equal logits the class with the lower number comes first, as in argmax.
        ahead = (block > own[:, None]) | ((block == own[:, None]) & (np.arange(block.shape[1]) < truth[part][:, None]))
        better[part] = ahead.sum(axis=1)
    return _Heights(best, confidence, log_sum, better)


def _row_blocks(logits: Float32, count: int, job: Job[Any] | None = None) -> Iterator[slice]:
    return iter_blocks(count, max(_BLOCK_BYTES // (8 * logits.shape[1]), 1), job or Job())


def _log_sum(logits: Float64) -> Float64:
    top = logits.max(axis=1)
    total: Float64 = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return total


def _class_scores(
    logits: Float32, rows: Int64, truth: Int64, heights: _Heights, found: Int64, names: Sequence[str], job: Job[Any]
) -> Iterator[ClassScore]:
    from sklearn.metrics import precision_recall_fscore_support

    said = heights.best
    precision, recall, f1, counts = precision_recall_fscore_support(truth, said, labels=found, zero_division=0.0)
    called = np.bincount(said, minlength=int(found[-1]) + 1)
    columns = max(_BLOCK_BYTES // (4 * len(rows)), 1)
    for part in iter_blocks(len(found), columns, job, len(found)):
        some = np.asarray(logits[np.ix_(rows, found[part])], dtype=np.float64) - heights.log_sum[:, None]
        for place, index in enumerate(found[part].tolist(), start=part.start):
            area = _area(truth == index, some[:, place - part.start]) if counts[place] else math.nan
            each = (
                float(precision[place]),
                float(recall[place]) if counts[place] else math.nan,
                float(f1[place]),
                area,
            )
            yield ClassScore(index, names[index], int(counts[place]), int(called[index]), *each)


def _area(is_it: Bool, height: Float64) -> float:
    """Of the ROC curve; the logarithm of a probability orders pictures as the probability does."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(is_it, height)) if not is_it.all() else math.nan


def _confusion(truth: Int64, said: Int64, found: Int64) -> Int64:
    """(K, K) of the classes found: row the truth, column what the model says."""
    cells = np.searchsorted(found, truth) * len(found) + np.searchsorted(found, said)
    return np.bincount(cells, minlength=len(found) ** 2).reshape(len(found), len(found))


def _calibration(confidence: Float64, right: Bool) -> Calibration:
    """Bins as scikit-learn's calibration_curve cuts them: what lies on an edge belongs to the bin below."""
    bins = _bins(confidence)
    counts = np.bincount(bins, minlength=BINS)
    full = counts > 0
    mean = np.bincount(bins, weights=confidence, minlength=BINS)[full] / counts[full]
    share = np.bincount(bins, weights=right, minlength=BINS)[full] / counts[full]
    return Calibration(
        mean, share, counts[full], np.flatnonzero(full), float(np.average(np.abs(mean - share), weights=counts[full]))
    )


def _bins(confidence: npt.ArrayLike) -> Int64:
    bins: Int64 = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], np.asarray(confidence, dtype=np.float64))
    return bins


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
