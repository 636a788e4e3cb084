"""A head for own classes: multinomial logistic regression on frozen features, with held-out answers to all pictures.

Each picture is answered for by a head that did not learn from it (Stone 1974, cross-validation); the head that is used
then learns from all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from xai_core.arrays import Float32, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.imageset.runs.class_head import deal_folds, fit_classes
from xai_core.labs.teach.class_names import check_names
from xai_core.labs.teach.examples import MAX_PER_CLASS, Example
from xai_core.params import check_seed

# Of a class: one to learn from and one to be asked about.
MIN_PICTURES = 2
# Below so many pictures of a class, its share of right answers says little.
FEW_PICTURES = 10


@dataclass(frozen=True, eq=False)
class Taught:
    """K classes learnt from N pictures on F features."""

    labels: tuple[str, ...]
    weights: Float32
    """(K, F)"""
    bias: Float32
    """(K,)"""
    examples: tuple[str, ...]
    """Ids of the N pictures."""
    truth: Int64
    """Class of each picture, (N,)."""
    answers: Int64
    """Held-out answer to each picture, (N,)."""

    @property
    def counts(self) -> tuple[int, ...]:
        """Pictures of each class."""
        return tuple(np.bincount(self.truth, minlength=len(self.labels)).tolist())

    @property
    def right(self) -> int:
        """Held-out answers that are right."""
        return int((self.truth == self.answers).sum())

    @property
    def accuracy(self) -> float:
        """Share of held-out answers that are right, 0..1."""
        return self.right / len(self.truth)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        interval = binomtest(self.right, len(self.truth)).proportion_ci(0.95, method="wilson")
        return float(interval.low), float(interval.high)

    @property
    def confusion(self) -> Int64:
        """Held-out pictures of each class by their answer, (K, K): rows are the right class."""
        count = len(self.labels)
        return np.bincount(self.truth * count + self.answers, minlength=count**2).reshape(count, count)

    def probabilities(self, features: Float32) -> Float32:
        """Return the probabilities of the classes for features (n, F), (n, K)."""
        logits = features @ self.weights.T + self.bias
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        values: Float32 = shares / shares.sum(axis=1, keepdims=True)
        return values


def teach(classes: Mapping[str, Sequence[Example]], seed: int = 0, job: Job[Any] | None = None) -> Taught:
    """Learn classes from their pictures; `job` counts the heads. The same picture twice in a class counts once.

    Raises:
        InvalidParam: too few or too many classes or pictures, a name that is not allowed, or a picture of two classes.
        Cancelled: between two heads.
    """
    job, labels = job or Job(), check_names(list(classes))
    # Twice the same picture would be learnt from and asked about at once.
    pictures = {name: {example.id: example for example in examples} for name, examples in classes.items()}
    _check_counts(pictures)
    _check_overlap(pictures)
    rng = np.random.default_rng(check_seed(seed))
    examples = [example for entries in pictures.values() for example in entries.values()]
    truth = np.repeat(np.arange(len(labels)), [len(entries) for entries in pictures.values()])
    features = np.stack([example.features for example in examples])
    folds = deal_folds(truth, rng)
    job.expect(job.done + int(folds.max()) + 2)
    answers = np.empty(len(truth), dtype=np.int64)
    for fold in range(int(folds.max()) + 1):
        job.tick(1)
        weights, bias = fit_classes(features[folds != fold], truth[folds != fold], len(labels))
        answers[folds == fold] = (features[folds == fold] @ weights.T + bias).argmax(axis=1)
    job.tick(1)
    weights, bias = fit_classes(features, truth, len(labels))
    return Taught(labels, weights, bias.astype(np.float32), tuple(e.id for e in examples), truth, answers)


def _check_counts(pictures: Mapping[str, Mapping[str, Example]]) -> None:
    for name, entries in pictures.items():
        if len(entries) < MIN_PICTURES:
            number = "no picture" if not entries else "only one picture"
            raise InvalidParam(
                f"“{name}” has {number}. Every class needs at least {MIN_PICTURES} different ones: some to learn from "
                f"and some to be asked about. {2 * FEW_PICTURES} are a good number."
            )
        if len(entries) > MAX_PER_CLASS:
            raise InvalidParam(
                f"“{name}” has {len(entries)} pictures, and {MAX_PER_CLASS} are the most of a class. Take some out."
            )


def _check_overlap(pictures: Mapping[str, Mapping[str, Example]]) -> None:
    """Raise InvalidParam where the same picture belongs to two classes."""
    names: dict[str, str] = {}
    for name, entries in pictures.items():
        # Places are counted as on the page, from 1.
        for place, key in enumerate(entries, 1):
            if key in names:
                raise InvalidParam(
                    f"Picture {place} of “{name}” is also a picture of “{names[key]}”. A picture can belong to one "
                    "class only: take it out of one of them."
                )
            names[key] = name
