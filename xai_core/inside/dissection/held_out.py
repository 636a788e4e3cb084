"""Tests of a label: how much its IoU depends on the pictures, and if it holds on pictures that it was not chosen on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xai_core.arrays import Bool, Float32, Float64, Int64
from xai_core.inside.dissection.overlap import intersection_over_union

RESAMPLES, RANGE = 500, (2.5, 97.5)
# Random orders of the pictures that a label is compared with.
_RANDOM_ORDERS = 10_000
# Share of the pictures from which on a concept is so common that its amount is compared.
_COMMON = 0.75
# Labels that pass are wrong in at most this share (Benjamini and Hochberg 1995).
FALSE_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class LabelTests:
    """Per unit, (C,): average precision of its label on held-out pictures, that of chance, and p; NaN if untested."""

    precision: Float64
    chance: Float64
    p: Float64


def bootstrap_range(shared: Int64, units: Int64, concepts: Int64, seed: int = 0) -> tuple[Float64, Float64]:
    """Return the 95 % range of each unit's IoU over resampled pictures, (C,) each; arrays are pixels, (N, C)."""
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(shared), np.full(len(shared), 1 / len(shared)), RESAMPLES).astype(np.float64)
    together, either = (weights @ part for part in (shared, units + concepts - shared))
    low, high = np.percentile(together / np.maximum(either, 1), RANGE, axis=0)
    return low, high


def show_most(areas: Int64) -> Bool:
    """Return which pictures show a concept, (N, K); of one that nearly all show, those with more than the median."""
    is_common = (areas > 0).mean(0) > _COMMON
    return areas > np.where(is_common, np.median(areas, axis=0), 0)


def check_labels(reach: Float32, shows: Bool, concepts: Int64, seed: int = 0) -> LabelTests:
    """Test each unit's concept (C,) on pictures with the units' largest values (N, C) that show concepts (N, K).

    Average precision of ordering the pictures by the unit (area under precision and recall, AUPRC); ties fall at
    random. p is the share of random orders that do as well.
    """
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(reach.shape), -reach), axis=0)
    ordered = np.take_along_axis(shows[:, concepts], order, 0)
    precision = average_precision(ordered)
    counts = ordered.sum(0)
    # Place of each picture in random orders: the first so many stand for those that show the concept.
    shuffled = rng.random((len(shows), _RANDOM_ORDERS), dtype=np.float32).argsort(axis=0)
    chance, p = np.full(len(concepts), np.nan), np.full(len(concepts), np.nan)
    for count in np.unique(counts).tolist():
        same = counts == count
        if 0 < count < len(shows):
            by_chance = average_precision(shuffled < count)
            chance[same] = by_chance.mean()
            as_good = len(by_chance) - np.searchsorted(np.sort(by_chance), precision[same] - 1e-12)
            p[same] = (1 + as_good) / (1 + len(by_chance))
    return LabelTests(np.where(np.isnan(p), np.nan, precision), chance, p)


def average_precision(ordered: Bool) -> Float64:
    """Return the mean, over the positive entries of each column (N, C) from the top, of the precision so far, (C,)."""
    ranks = np.arange(1, len(ordered) + 1)[:, None]
    precision = np.cumsum(ordered, axis=0) / ranks
    mean: Float64 = (precision * ordered).sum(0) / np.maximum(ordered.sum(0), 1)
    return mean


def pass_together(p: Float64) -> Bool:
    """Return which of many tests pass, so that at most FALSE_SHARE of those are luck on average; NaN never passes."""
    passes = np.zeros(len(p), dtype=np.bool_)
    tested = np.flatnonzero(~np.isnan(p))
    ordered = tested[np.argsort(p[tested])]
    good = p[ordered] <= FALSE_SHARE * np.arange(1, len(ordered) + 1) / max(len(ordered), 1)
    if good.any():
        passes[ordered[: int(np.flatnonzero(good)[-1]) + 1]] = True
    return passes


def best_concepts(shared: Int64, units: Int64, concepts: Int64) -> tuple[Float64, Int64]:
    """Return the IoU of each unit with each concept, (C, K), and the best concept of each, (C,)."""
    iou = intersection_over_union(shared, units[:, None], concepts[None])
    return iou, iou.argmax(1)
