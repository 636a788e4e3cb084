"""Directions between random pictures: how far they reach by chance, and p-values against them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xai_core.arrays import Float64
from xai_core.inside.concepts.directions import draw_splits


def limit_count(concept: int, baseline: int) -> int:
    """Return how many of the random pictures stand for the concept's: as many, but at most half of them."""
    return min(concept, baseline // 2)


def draw_derivatives(
    baseline: Float64, gradients: Float64, count: int, draws: int, rng: np.random.Generator
) -> Float64:
    """Return derivatives (draws, n) of n examples along differences of means of random against random pictures.

    Each draw divides the random pictures (N, C) anew into `count` and the rest, which share none.
    """
    splits = draw_splits(len(baseline), count, draws, rng)
    weights = splits / count - ~splits / (len(baseline) - count)
    # Every picture's product with every gradient first: a direction's is a weighted sum of them.
    return np.asarray(weights @ (baseline @ gradients.T))


def find_p(concept: Float64, baseline: Float64, gradients: Float64, null: Float64) -> float:
    """Return the two-sided p of a concept's effect: the logit's rise from the random mean to the concept's mean.

    `null` (draws, n) is of `draw_derivatives`. Differences of means of other numbers of pictures scatter by another
    factor, which is known.
    """
    count, others = limit_count(len(concept), len(baseline)), len(baseline)
    own, drawn = 1 / len(concept) + 1 / others, 1 / count + 1 / (others - count)
    # Not of one step: a long way along the gradient is what chance seldom goes.
    effect = abs(float((gradients @ (concept.mean(0) - baseline.mean(0))).mean()))
    # Rounding must not decide between equal effects.
    reached = np.abs(null.mean(1)) * np.sqrt(own / drawn) >= effect * (1 - 1e-12)
    return float((1 + reached.sum()) / (1 + len(null)))


def adjust_holm(values: Sequence[float]) -> list[float]:
    """Return p-values after Holm's step-down correction, each at most 1.

    >>> adjust_holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, worst = [0.0] * len(values), 0.0
    for place, index in enumerate(np.argsort(values, kind="stable").tolist()):
        worst = max(worst, min(1.0, values[index] * (len(values) - place)))
        adjusted[index] = worst
    return adjusted
