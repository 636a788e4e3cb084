"""Own classes learnt on the pooled features of a run: multinomial logistic regression, answering for unseen pictures.

Every picture with a label is answered for by a head that did not learn from it, so that scores are of held-out answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float32, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.imageset.runs.outputs import ModelOutputs

FOLDS = 5
# Learning from more pictures takes minutes and gains little.
MAX_PICTURES = 4000
# Inverse strength of the L2 penalty on standardized features: they are often more than the pictures.
FREEDOM = 0.1
MAX_ROUNDS = 300
# Logit of a class that a head has not seen.
_UNSEEN = -1e4


@dataclass(frozen=True, eq=False)
class ClassHead:
    """K own classes on C features of a layer, for a set of N pictures: a head for each fold, and one of all."""

    id: str
    classes: tuple[str, ...]
    weights: Float32
    """(F + 1, K, C): F heads that lack one part of the pictures each, then one that learnt from all parts."""
    bias: Float32
    """(F + 1, K)"""
    folds: Int64
    """The head that answers for each picture, (N,): one that did not learn from it."""
    learnt: int
    """Pictures learnt from, in all parts together."""

    def logits(self, features: Float32, folds: npt.ArrayLike | None = None) -> Float32:
        """Return the classes' logits of pooled features (n, C), (n, K); from the heads `folds` (n,), or that of all."""
        heads = np.full(len(features), len(self.weights) - 1) if folds is None else np.asarray(folds)
        values = np.full((len(features), len(self.classes)), np.nan, dtype=np.float32)
        for head in np.unique(heads):
            rows = np.flatnonzero(heads == head)
            values[rows] = features[rows] @ self.weights[head].T + self.bias[head]
        return values

    def apply(self, run: ModelOutputs) -> ModelOutputs:
        """Return a run over the same set with own classes in place of the model's. Raises InvalidParam."""
        width = self.weights.shape[-1]
        if run.mean.shape != (len(self.folds), width):
            raise InvalidParam(
                f"These classes were learnt on {len(self.folds):,} pictures with {width} features each. "
                f"Got {run.mean.shape[0]:,} with {run.mean.shape[1]}."
            )
        logits = self.logits(np.asarray(run.mean), self.folds)
        logits[~run.valid] = np.nan
        logits.flags.writeable = False
        return replace(run, id=f"{run.id}-{self.id}", logits=logits)


def learn_classes(
    run: ModelOutputs, labels: npt.ArrayLike, classes: Sequence[str], seed: int = 0, job: Job[Any] | None = None
) -> ClassHead:
    """Learn classes from the pooled features of a run and labels (N,), rows of `classes` or -1.

    `job` counts the heads and can be cancelled between them. Pictures beyond MAX_PICTURES are only answered for.

    Raises:
        NotApplicable: fewer than two classes have two pictures each.
        InvalidParam: a label for each picture is needed.
        Cancelled: the job was cancelled.
    """
    job, truth = job or Job(), np.asarray(labels)
    if truth.shape != (len(run),) or truth.dtype.kind not in "iu" or truth.max(initial=-1) >= len(classes):
        raise InvalidParam(f"Each of the {len(run):,} pictures needs a label. Got an array of shape {truth.shape}.")
    known = np.flatnonzero((truth >= 0) & np.asarray(run.valid))
    counts = np.bincount(truth[known], minlength=len(classes))
    if (counts >= 2).sum() < 2:
        raise NotApplicable(
            "At least two labels with two pictures each are needed: some to learn from, some to be asked about."
        )
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(known, MAX_PICTURES, replace=False)) if len(known) > MAX_PICTURES else known
    features = np.asarray(run.mean[rows], dtype=np.float32)
    parts = deal_folds(truth[rows], rng)
    fold_count = int(parts.max()) + 1
    job.expect(fold_count + 1)
    heads = []
    for fold in range(fold_count + 1):
        # The last head lacks no part.
        others = parts != fold
        heads.append(fit_classes(features[others], truth[rows][others], len(classes)))
        job.tick(1)
    folds = np.full(len(run), fold_count, dtype=np.int64)
    folds[rows] = parts
    digest = hashlib.sha256(run.id.encode() + truth.astype(np.int64).tobytes() + b"%d" % seed)
    weights, bias = (np.stack(arrays) for arrays in zip(*heads, strict=True))
    return ClassHead(digest.hexdigest()[:12], tuple(classes), weights, bias, folds, len(rows))


def deal_folds(labels: npt.NDArray[np.integer[Any]], rng: np.random.Generator) -> Int64:
    """Return the part of each picture, (n,): each class is dealt out evenly over at most FOLDS parts."""
    parts, start = np.empty(len(labels), dtype=np.int64), 0
    fold_count = min(FOLDS, int(np.bincount(labels).max()))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        # Each class begins where the last one ended, so that the parts are about equal.
        parts[rows] = (start + np.arange(len(rows))) % fold_count
        start += len(rows)
    return parts


def fit_classes(features: Float32, labels: npt.NDArray[np.integer[Any]], count: int) -> tuple[Float32, Float32]:
    """Return weights (count, C) and bias (count,) of the classes; those without a picture are never the answer."""
    from sklearn.linear_model import LogisticRegression

    weights = np.zeros((count, features.shape[1]), dtype=np.float32)
    bias = np.full(count, _UNSEEN, dtype=np.float32)
    present = np.unique(labels)
    if len(present) == 1:
        bias[present] = 0.0
        return weights, bias
    # Of the pictures learnt from alone: those held out must not count in anything.
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale == 0] = 1.0
    model = LogisticRegression(C=FREEDOM, max_iter=MAX_ROUNDS).fit((features - mean) / scale, labels)
    # Of two classes scikit-learn keeps the difference.
    binary = len(present) == 2
    weights[present] = np.concatenate([-model.coef_, model.coef_]) / 2 if binary else model.coef_
    bias[present] = np.concatenate([-model.intercept_, model.intercept_]) / 2 if binary else model.intercept_
    weights /= scale
    return weights, bias - weights @ mean
