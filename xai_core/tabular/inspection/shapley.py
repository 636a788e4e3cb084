"""Interventional Shapley values of many rows for any model, by permutations (Mitchell et al. 2022, arXiv:2104.12199).

Each pair of a row and a background row has an order of its own, taken forwards and backwards: features change one by
one from the background's value to the row's, and each gets the change it made. Both directions together are exact where
no more than two features interact, and the values always add up to the row's score less the background's mean.
"""

from __future__ import annotations

import numpy as np

from xai_core.arrays import Float64
from xai_core.errors import NotApplicable
from xai_core.tabular.inspection.coalitions import CoalitionSampler

MAX_BACKGROUND = 200
# With more features or rows, fewer background rows are compared with, down to two.
MAX_EVALUATIONS = 400_000
# Cells of a batch of mixed rows.
CELLS = 4_000_000


def count_evaluations(rows: int, features: int, background: int) -> int:
    """Return the number of rows that are scored."""
    return rows + background + 2 * rows * background * (features - 1)


def limit_background(rows: int, features: int, requested: int) -> int:
    """Return the number of background rows: as many as requested and affordable, at least two.

    Raises: NotApplicable (even two are too many).
    """
    evaluations = 2 * rows * max(features - 1, 1)
    if 2 * evaluations > 20 * MAX_EVALUATIONS:
        raise NotApplicable(
            f"{features:,} features are too many to compare {rows:,} rows with others. Choose fewer features or rows."
        )
    # The background gives way, the rows do not.
    return max(2, min(requested, MAX_EVALUATIONS // evaluations))


def estimate_contributions(
    sampler: CoalitionSampler,
    rows: Float64,
    background: Float64,
    scores: Float64,
    starts: Float64,
    rng: np.random.Generator,
) -> Float64:
    """Return the contributions of the features to the scores of the rows, (n, F), in batches of rows.

    `rows` (n, columns) have `scores` (n,), `background` rows (B, columns) have `starts` (B,).
    """
    # Cells of the mixtures of one row with the whole background, in both directions.
    cells = 2 * max(sampler.features - 1, 1) * rows.shape[1] * len(background)
    size = max(1, CELLS // cells)
    parts = []
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        parts.append(_permute_features(sampler, rows[part], background, scores[part], starts, rng))
    return np.concatenate(parts)


def _permute_features(
    sampler: CoalitionSampler,
    rows: Float64,
    background: Float64,
    scores: Float64,
    starts: Float64,
    rng: np.random.Generator,
) -> Float64:
    pairs, features = (len(rows), len(background)), sampler.features
    # The place of each feature in a random order for each pair of a row and a background row.
    rank = rng.permuted(np.tile(np.arange(features), (*pairs, 1)), axis=2)
    steps = np.arange(1, features)
    # Features that have joined after each step, forwards and backwards: (2, n, B, F − 1, F).
    joined = np.stack([rank[:, :, None] < steps[:, None], rank[:, :, None] >= features - steps[:, None]])
    # Mix the rows with the background, and score the mixtures: (2, n, B, F − 1).
    mixed = np.where(joined[..., sampler.owners], rows[None, :, None, None], background[None, None, :, None])
    between = np.empty((2, *pairs, 0))
    # With one feature there is nothing between the background and the row.
    if features > 1:
        between = sampler.scores(mixed.reshape(-1, rows.shape[1])).reshape(2, *pairs, -1)
    # With the scores before the first and after the last step, the change made by each place in the order.
    first, last = (np.broadcast_to(ends, (2, *pairs))[..., None] for ends in (starts[None, :], scores[:, None]))
    changes = np.diff(np.concatenate([first, between, last], axis=3), axis=3)
    # From places back to features, then the mean over both directions and the background.
    own = np.take_along_axis(changes[0], rank, axis=2) + np.take_along_axis(changes[1], features - 1 - rank, axis=2)
    contributions: Float64 = own.mean(axis=1) / 2
    return contributions
