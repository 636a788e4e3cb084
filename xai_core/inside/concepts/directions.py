"""The direction of a concept in a layer, and how well it tells its pictures from random ones it was not made of.

The direction is the difference of two means (FastCAV, Schmalwasser et al. 2025, arXiv:2505.17883): weights of a
classifier would also cancel what disturbs it, and so point elsewhere (Pahde et al. 2025, arXiv:2202.03482).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xai_core.arrays import Bool, Float64, Int64

FOLDS = 5
# Variance of a typical channel that is added to every one: a nearly silent channel must not decide alone.
_FLOOR = 0.01
_FREEDOM = 0.1
_MAX_ROUNDS = 300


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Shares of pictures told apart that the direction was not made of; 0.5 is chance.

    `accuracy` counts concept and random pictures alike, whatever their numbers. `second` is that of a logistic
    regression on the same parts.
    """

    accuracy: float
    auc: float
    second: float


def measure_scale(baseline: Float64) -> Float64:
    """Return the standard deviation of every channel among the random pictures (N, C), (C,): the unit of its axis."""
    variance = baseline.var(axis=0, ddof=1)
    # Where nothing varies at all, any unit does.
    return np.asarray(np.sqrt(variance + _FLOOR * variance.mean() + 1e-18))


def find_step(concept: Float64, baseline: Float64, spread: Float64) -> tuple[Float64, float]:
    """Return one step towards the concept, (C,) in the layer's own units, and the number of steps between the means.

    A step is one standard deviation of the pictures along the direction, pooled over both groups, in a space whose
    axes have the channels' spread as their unit.
    """
    difference = concept.mean(0) - baseline.mean(0)
    scaled = difference / spread
    length = float(np.linalg.norm(scaled))
    if length == 0:
        return np.zeros_like(difference), 0.0
    # Products with it are places on the scaled axis.
    along = scaled / length / spread
    groups = [values @ along for values in (concept, baseline)]
    freedom = max(len(concept) + len(baseline) - 2, 1)
    deviation = float(np.sqrt(sum(((group - group.mean()) ** 2).sum() for group in groups) / freedom))
    if deviation < 1e-12 * length:
        # Pictures that are all alike: the distance of the means is the only length there is.
        return difference, 1.0
    return difference / length * deviation, length / deviation


def split_folds(labels: Bool, rng: np.random.Generator) -> Int64:
    """Return the part of each picture, (n,): both groups are dealt out evenly over FOLDS parts."""
    parts = np.empty(len(labels), dtype=np.int64)
    for group in (False, True):
        rows = rng.permutation(np.flatnonzero(labels == group))
        parts[rows] = np.arange(len(rows)) % FOLDS
    return parts


def measure_held_out(concept: Float64, baseline: Float64, spread: Float64, rng: np.random.Generator) -> HeldOut:
    """Return how well mean difference and logistic regression tell pictures apart, each by FOLDS parts held out."""
    values = np.concatenate([concept, baseline]) / spread
    labels = np.arange(len(values)) < len(concept)
    parts = split_folds(labels, rng)
    products = values @ values.T
    accuracy, area = 0.0, 0.0
    for fold in _iter_folds(products, labels[None], parts[None]):
        accuracy += float(fold.accuracy[0]) / FOLDS
        area += _measure_area(fold.values[0][fold.held[0] & labels], fold.values[0][fold.held[0] & ~labels]) / FOLDS
    return HeldOut(accuracy, area, _judge_regression(products, labels, parts))


def measure_chance(baseline: Float64, spread: Float64, count: int, draws: int, rng: np.random.Generator) -> Float64:
    """Return held-out accuracies of random against random pictures, (draws,), `count` of them for the concept."""
    values = baseline / spread
    labels = draw_splits(len(values), count, draws, rng)
    parts = np.stack([split_folds(split, rng) for split in labels])
    return np.asarray(np.mean([fold.accuracy for fold in _iter_folds(values @ values.T, labels, parts)], axis=0))


def draw_splits(total: int, count: int, draws: int, rng: np.random.Generator) -> Bool:
    """Return random choices of `count` among `total` pictures, (draws, total)."""
    splits = np.zeros((draws, total), dtype=np.bool_)
    np.put_along_axis(splits, rng.permuted(np.tile(np.arange(total), (draws, 1)), axis=1)[:, :count], True, axis=1)
    return splits


class _Fold(NamedTuple):
    """One part held out of every draw: accuracies (draws,), values along the direction (draws, n), who is held out."""

    accuracy: Float64
    values: Float64
    held: Bool


def _iter_folds(products: Float64, labels: Bool, parts: Int64) -> Iterator[_Fold]:
    """Yield each part judged by the mean difference of the others, from products (n, n) of all pictures.

    `labels` (draws, n): the concept's side; `parts` (draws, n): who is held out together. A mean is a weighted sum of
    pictures, so products with it are weighted sums of products. The limit is midway between the means.
    """
    for part in range(FOLDS):
        held = parts == part
        means = []
        for side in (labels, ~labels):
            learnt = side & ~held
            means.append(learnt / np.maximum(learnt.sum(1, keepdims=True), 1))
        values = (means[0] - means[1]) @ products
        # Above zero: nearer to the concept's mean.
        gaps = values - ((means[0] + means[1]) * values).sum(1, keepdims=True) / 2
        hits = np.where(labels, gaps > 0, gaps < 0) + 0.5 * (gaps == 0)
        shares = [(hits * (held & side)).sum(1) / (held & side).sum(1) for side in (labels, ~labels)]
        yield _Fold((shares[0] + shares[1]) / 2, values, held)


def _measure_area(high: Float64, low: Float64) -> float:
    """Return the share of pairs whose first value is higher; ties count half."""
    gaps = high[:, None] - low[None]
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean()) if gaps.size else 0.5


def _judge_regression(products: Float64, labels: Bool, parts: Int64) -> float:
    """Return the held-out accuracy of a logistic regression, both groups counted alike."""
    from sklearn.linear_model import LogisticRegression

    # The same solution as on all channels, in the space of the pictures, which is smaller.
    values, vectors = np.linalg.eigh(products)
    coordinates = vectors * np.sqrt(np.maximum(values, 0))
    right = np.zeros(len(labels), dtype=np.bool_)
    for part in range(FOLDS):
        held = parts == part
        centre = coordinates[~held].mean(0)
        model = LogisticRegression(C=_FREEDOM, class_weight="balanced", max_iter=_MAX_ROUNDS)
        model.fit(coordinates[~held] - centre, labels[~held])
        right[held] = model.predict(coordinates[held] - centre) == labels[held]
    return float((right[labels].mean() + right[~labels].mean()) / 2)
