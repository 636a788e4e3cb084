"""How far a map may be believed: are neighbours on it true neighbours? (Venna and Kaski 2001, Neighborhood preservation in nonlinear
projection methods.) Scikit-learn's function holds all distances at once, 3 GB for 20,000 pictures; this one a few megabytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xai_core.arrays import Float32
from xai_core.engine.jobs import Job
from xai_core.imageset.projection.neighbours import neighbour_table
from xai_core.imageset.rows import iter_blocks

NEIGHBOURS = 5
MOST_ASKED = 2_000
"""Points whose neighbours are judged; of more, so many are drawn, each still compared with all others."""
_DISTANCES = 2_000_000
"""Distances held at a time."""
_LEVELS = (
    (0.95, "Trust the neighbours: pictures that lie side by side here are nearly always true neighbours"),
    (0.85, "Trust most neighbours: pictures that lie side by side here are mostly true neighbours"),
    (0.7, "Be careful: many pictures that lie side by side here are no true neighbours"),
    (0.0, "Do not trust this map: lying side by side here says little"),
)


def trustworthiness(data: Float32, points: Float32, seed: int, job: Job[Any] | None = None, worth: int = 0) -> float:
    """How true the 5 nearest neighbours on the map (n, 2|3) are in the data (n, D), 0..1; a map made by chance has about 0.5.

    Equals sklearn.manifold.trustworthiness up to 2,000 points, where no two distances are equal: which of such neighbours come first is
    chance. Of more it is the mean over 2,000 drawn ones. Raises Cancelled.
    """
    from sklearn.metrics.pairwise import euclidean_distances

    count = len(data)
    k = max(min(NEIGHBOURS, (count - 1) // 2), 1)
    asked = np.arange(count)
    if count > MOST_ASKED:
        asked = np.sort(np.random.default_rng(seed).choice(count, MOST_ASKED, replace=False))
    near = neighbour_table(points, k, job).rows
    too_far = 0
    for part in iter_blocks(len(asked), max(_DISTANCES // count, 1), job or Job(), worth):
        rows = asked[part]
        far = euclidean_distances(data[rows], data, squared=True)
        far[np.arange(len(rows)), rows] = np.inf
        own = np.take_along_axis(far, near[rows], axis=1)
        too_far += sum(int(np.maximum((far < own[:, [each]]).sum(axis=1) + 1 - k, 0).sum()) for each in range(k))
    return 1 - too_far * 2 / (len(asked) * k * (2 * count - 3 * k - 1))


def sentence(value: float, asked: int) -> str:
    """What a trustworthiness means, for the reader of the map; `asked` is how many points it was measured on at most."""
    said = next(words for least, words in _LEVELS if value >= least or least == 0.0)
    drawn = f", measured on {MOST_ASKED:,} of the pictures" if asked > MOST_ASKED else ""
    return f"{said} (trustworthiness {value:.2f} of 1{drawn})."
