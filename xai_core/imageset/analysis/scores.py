"""Scores of a model on a set of labelled pictures: the usual ones, each with one plain sentence, by scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Bool, Float32, Float64, Int64
from xai_core.calibration import BINS, assign_bins, calibration_bins
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.imageset.analysis.sentences import write_sentences
from xai_core.imageset.rows import check_index, iter_blocks
from xai_core.imageset.runs.outputs import ModelOutputs
from xai_core.models import load_model

_BLOCK_BYTES = 16 * 2**20


@dataclass(frozen=True)
class ClassScore:
    """One class of the model, against all others. NaN where a score is not defined."""

    index: int
    name: str
    count: int
    """Pictures of this class."""
    predicted_count: int
    """Pictures that the model calls so."""
    precision: float
    recall: float
    f1: float
    auc: float
    """Area under the ROC curve, 0..1: how often a picture of it gets a higher probability than another picture."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Ten equal bins of the probability given to the likeliest class; those that hold pictures.

    `error` is the expected calibration error (Naeini et al. 2015), 0..1: the mean distance of probability and accuracy.
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
    """Scores of one run over a set, of the pictures whose class the model knows. `sentences` has a text for each."""

    count: int
    """Pictures judged."""
    left_out: int
    """Pictures without a label that the model knows, or without an answer."""
    accuracy: float
    top5: float
    """Share of pictures whose class is among the five likeliest (of all, where the model has fewer)."""
    precision: float
    """Mean over the classes that occur, as are recall, F1 and ROC AUC."""
    recall: float
    f1: float
    auc: float
    classes: tuple[ClassScore, ...]
    """Those that occur, as truth or as prediction, by index."""
    confusion: Int64
    """(K, K) in the order of `classes`: row the truth, column the prediction."""
    calibration: Calibration
    sentences: Mapping[str, str]
    """accuracy, top5, precision, recall, f1, auc, calibration, confusion."""


def score_set(
    run: ModelOutputs, truth: npt.ArrayLike, labels: Sequence[str] | None = None, job: Job[Any] | None = None
) -> SetScores:
    """Score a run against the model's class of each picture (N,), -1 where not known (`ImageSet.match_classes`).

    `labels` names the model's classes; None asks the model. `job` counts classes. Raises NotApplicable where no picture
    has a class that the model knows, InvalidParam, Cancelled.
    """
    names = load_model(run.model).labels if labels is None else labels
    job = job or Job()
    rows, true_classes = _select_rows_with_class(run, truth)
    if not len(rows):
        raise NotApplicable(
            "None of these pictures has a label that the model knows, so its right answers cannot be counted. "
            "Choose a model that knows these labels, or rename your folders after the model's classes."
        )
    ranks = _rank(run.logits, rows, true_classes, job)
    predicted = ranks.predicted
    occurring = np.unique(np.concatenate([true_classes, predicted]))
    job.expect(job.done + len(occurring))
    classes = tuple(_iter_class_scores(run.logits, rows, true_classes, ranks, occurring, names, job))
    correct = predicted == true_classes
    values = {
        "accuracy": float(correct.mean()),
        "top5": float((ranks.better < 5).mean()),
        **{
            name: _mean([getattr(score, name) for score in classes if score.count])
            for name in ("precision", "recall", "f1", "auc")
        },
    }
    confusion = _count_confusion(true_classes, predicted, occurring)
    bins = calibration_bins(ranks.confidence, correct)
    calibration = Calibration(bins.confidence, bins.accuracy, bins.counts, bins.numbers, bins.error)
    counts = [score.count for score in classes]
    texts = write_sentences(values, [score.name for score in classes], counts, confusion, calibration.error)
    return SetScores(
        count=len(rows),
        left_out=len(run.logits) - len(rows),
        **values,
        classes=classes,
        confusion=confusion,
        calibration=calibration,
        sentences=MappingProxyType(texts),
    )


def confusion_rows(truth: npt.ArrayLike, predicted: npt.ArrayLike, true_class: int, predicted_class: int) -> Int64:
    """Return rows of the pictures behind one cell of the confusion matrix.

    >>> confusion_rows([0, 1, 1], [0, 0, 1], 1, 0).tolist()
    [1]
    """
    return np.flatnonzero((np.asarray(truth) == true_class) & (np.asarray(predicted) == predicted_class))


def calibration_rows(run: ModelOutputs, truth: npt.ArrayLike, number: int) -> Int64:
    """Return rows of the pictures behind one bin of `Calibration`, by its number in `bins`. Raises InvalidParam."""
    check_index("bin", number, BINS)
    rows = _select_rows_with_class(run, truth)[0]
    in_bin: Int64 = rows[assign_bins(np.asarray(run.confidence)[rows]) == number]
    return in_bin


def losses(run: ModelOutputs, truth: npt.ArrayLike) -> Float32:
    """Return the cross-entropy of each picture's class, (N,), in nats; NaN where the class is not known."""
    values = np.full(len(run.logits), np.nan, dtype=np.float32)
    judged, true_classes = _select_rows_with_class(run, truth)
    for block in _iter_row_blocks(run.logits, len(judged)):
        rows = judged[block]
        logits = np.asarray(run.logits[rows], dtype=np.float64)
        values[rows] = _log_sum_exp(logits) - logits[np.arange(len(rows)), true_classes[block]]
    return values


def _select_rows_with_class(run: ModelOutputs, truth: npt.ArrayLike) -> tuple[Int64, Int64]:
    """Return rows that have an answer and a known class, and their classes. Raises InvalidParam."""
    given = np.asarray(truth)
    count, classes = run.logits.shape
    fits = given.shape == (count,) and given.dtype.kind in "iu"
    if not fits or (count and not -1 <= given.min() <= given.max() < classes):
        raise InvalidParam(
            f"Each of the {count:,} pictures needs a class from 0 to {classes - 1}, or -1. "
            f"Got an array of shape {given.shape} and kind {given.dtype}."
        )
    rows = np.flatnonzero((given >= 0) & np.asarray(run.valid))
    # A model may answer with NaN or infinity: such pictures are not judged.
    finite = [np.isfinite(run.logits[rows[block]]).all(axis=1) for block in _iter_row_blocks(run.logits, len(rows))]
    rows = rows[np.concatenate(finite)] if finite else rows
    return rows, given[rows].astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Ranks:
    """Results of one pass over all logits for each picture judged, (n,) each."""

    predicted: Int64
    confidence: Float64
    """Probability of the prediction."""
    log_sum: Float64
    """Logarithm of the sum of all exponentials: a logit less this is the logarithm of a probability."""
    better: Int64
    """Number of classes that come before the true one."""


def _rank(logits: Float32, rows: Int64, truth: Int64, job: Job[Any]) -> _Ranks:
    predicted, better = np.empty(len(rows), dtype=np.int64), np.empty(len(rows), dtype=np.int64)
    confidence, log_sum = np.empty(len(rows)), np.empty(len(rows))
    for block in _iter_row_blocks(logits, len(rows), job):
        values = np.asarray(logits[rows[block]], dtype=np.float64)
        own = values[np.arange(len(values)), truth[block]]
        predicted[block] = values.argmax(axis=1)
        log_sum[block] = _log_sum_exp(values)
        confidence[block] = np.exp(values.max(axis=1) - log_sum[block])
        # Of equal logits the class with the lower number comes first, as in argmax.
        lower_number = np.arange(values.shape[1]) < truth[block][:, None]
        ahead = (values > own[:, None]) | ((values == own[:, None]) & lower_number)
        better[block] = ahead.sum(axis=1)
    return _Ranks(predicted, confidence, log_sum, better)


def _iter_row_blocks(logits: Float32, count: int, job: Job[Any] | None = None) -> Iterator[slice]:
    return iter_blocks(count, max(_BLOCK_BYTES // (8 * logits.shape[1]), 1), job or Job())


def _log_sum_exp(logits: Float64) -> Float64:
    # Shift by the largest logit, so that no exponential overflows.
    top = logits.max(axis=1)
    total: Float64 = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return total


def _iter_class_scores(
    logits: Float32, rows: Int64, truth: Int64, ranks: _Ranks, occurring: Int64, names: Sequence[str], job: Job[Any]
) -> Iterator[ClassScore]:
    from sklearn.metrics import precision_recall_fscore_support

    scores = precision_recall_fscore_support(truth, ranks.predicted, labels=occurring, zero_division=0.0)
    precision, recall, f1, counts = scores
    predicted_counts = np.bincount(ranks.predicted, minlength=int(occurring[-1]) + 1)
    # Read a few classes of all pictures at a time: the logits may be larger than memory.
    columns = max(_BLOCK_BYTES // (4 * len(rows)), 1)
    for block in iter_blocks(len(occurring), columns, job, len(occurring)):
        log_shares = np.asarray(logits[np.ix_(rows, occurring[block])], dtype=np.float64) - ranks.log_sum[:, None]
        for place, index in enumerate(occurring[block].tolist(), start=block.start):
            occurs = bool(counts[place])
            yield ClassScore(
                index=index,
                name=names[index],
                count=int(counts[place]),
                predicted_count=int(predicted_counts[index]),
                precision=float(precision[place]),
                recall=float(recall[place]) if occurs else math.nan,
                f1=float(f1[place]),
                auc=_roc_area(truth == index, log_shares[:, place - block.start]) if occurs else math.nan,
            )


def _roc_area(positive: Bool, scores: Float64) -> float:
    """Return the area under the ROC curve; log probabilities order pictures as probabilities do."""
    from sklearn.metrics import roc_auc_score

    # Without pictures of other classes there is no curve.
    return float(roc_auc_score(positive, scores)) if not positive.all() else math.nan


def _count_confusion(truth: Int64, predicted: Int64, occurring: Int64) -> Int64:
    """Return (K, K) counts of the occurring classes: row the truth, column the prediction."""
    cells = np.searchsorted(occurring, truth) * len(occurring) + np.searchsorted(occurring, predicted)
    return np.bincount(cells, minlength=len(occurring) ** 2).reshape(len(occurring), len(occurring))


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
