"""Trustworthiness of a map: are neighbours on it true neighbours?

Venna and Kaski 2001, Neighborhood preservation in nonlinear projection methods. Scikit-learn's function holds all
distances at once, 3 GB for 20,000 pictures; this one a few megabytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xai_core.arrays import Float32
from xai_core.engine.jobs import Job
from xai_core.formatting import score
from xai_core.imageset.projection.neighbours import neighbour_table
from xai_core.imageset.rows import iter_blocks

NEIGHBOURS = 5
# Points whose neighbours are judged; of more, so many are drawn, each still compared with all others.
MAX_JUDGED = 2_000
# Distances held at a time.
_DISTANCES = 2_000_000
_LEVELS = (
    (0.95, "Trust the neighbours: pictures that lie side by side here are nearly always true neighbours"),
    (0.85, "Trust most neighbours: pictures that lie side by side here are mostly true neighbours"),
    (0.7, "Be careful: many pictures that lie side by side here are not true neighbours"),
    (0.0, "Do not trust this map: lying side by side here says little"),
)


def compute_trustworthiness(
    data: Float32, points: Float32, seed: int, job: Job[Any] | None = None, steps: int = 0
) -> float:
    """Return how true the 5 nearest neighbours on the map (n, 2|3) are in the data (n, D), 0..1; by chance about 0.5.

    Equals sklearn.manifold.trustworthiness up to 2,000 points, where no two distances are equal: the order of equal
    ones is chance. Of more points it is the mean over 2,000 drawn ones. Raises Cancelled.
    """
    from sklearn.metrics.pairwise import euclidean_distances

    count = len(data)
    k = max(min(NEIGHBOURS, (count - 1) // 2), 1)
    judged = np.arange(count)
    if count > MAX_JUDGED:
        judged = np.sort(np.random.default_rng(seed).choice(count, MAX_JUDGED, replace=False))
    map_neighbours = neighbour_table(points, k, job).rows
    excess_rank = 0
    for block in iter_blocks(len(judged), max(_DISTANCES // count, 1), job or Job(), steps):
        rows = judged[block]
        distances = euclidean_distances(data[rows], data, squared=True)
        distances[np.arange(len(rows)), rows] = np.inf
        own = np.take_along_axis(distances, map_neighbours[rows], axis=1)
        # Rank of each map neighbour in the data, as far as it is beyond k.
        for place in range(k):
            ranks = (distances < own[:, [place]]).sum(axis=1) + 1
            excess_rank += int(np.maximum(ranks - k, 0).sum())
    return 1 - excess_rank * 2 / (len(judged) * k * (2 * count - 3 * k - 1))


def describe_trustworthiness(value: float, count: int) -> str:
    """Return a sentence for the reader of a map of `count` points.

    >>> describe_trustworthiness(0.97, 100)[:21]
    'Trust the neighbours:'
    """
    words = next(words for least, words in _LEVELS if value >= least or least == 0.0)
    sample = f", measured on {MAX_JUDGED:,} of the pictures" if count > MAX_JUDGED else ""
    return f"{words} (trustworthiness {score(value)} of 1{sample})."
