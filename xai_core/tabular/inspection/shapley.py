"""Shapley values of many rows for any model, by joining features in random orders (interventional; Mitchell et al. 2022, arXiv:2104.12199).

Each pair of a row and a background row has an order of its own, walked forwards and backwards: features change one by one from the
background's value to the row's, and each gets the change it made. Both directions together are exact where no more than two
features interact, and the values always add up to the row's score less the background's mean.
"""

from __future__ import annotations

import numpy as np

from xai_core.arrays import Float64
from xai_core.errors import NotApplicable
from xai_core.tabular.inspection.coalitions import Mixing

MOST_BACKGROUND = 200
MOST_EVALUATIONS = 400_000
"""With more features or rows, fewer background rows are compared with, down to two."""
CELLS = 4_000_000
"""Of a batch of mixed rows."""


def evaluations(rows: int, features: int, background: int) -> int:
    """How many rows the model is asked about."""
    return rows + background + 2 * rows * background * (features - 1)


def background_size(rows: int, features: int, wanted: int) -> int:
    """As many background rows as are wanted and can be afforded. Raises NotApplicable where not even two can."""
    one = 2 * rows * max(features - 1, 1)
    if 2 * one > 20 * MOST_EVALUATIONS:
        raise NotApplicable(
            f"{features:,} features are too many to compare {rows:,} rows with others. Choose fewer features or rows."
        )
    return max(2, min(wanted, MOST_EVALUATIONS // one))


def shares(
    mixing: Mixing, rows: Float64, background: Float64, scores: Float64, starts: Float64, rng: np.random.Generator
) -> Float64:
    """(n, F) contributions to `scores` (n,) of rows (n, columns), from `starts` (B,), the scores of background rows (B, columns)."""
    count, features = len(rows), mixing.features
    size = max(1, CELLS // (2 * max(features - 1, 1) * rows.shape[1] * len(background)))
    parts = []
    for start in range(0, count, size):
        part = slice(start, start + size)
        parts.append(_some(mixing, rows[part], background, scores[part], starts, rng))
    return np.concatenate(parts)


def _some(
    mixing: Mixing, rows: Float64, background: Float64, scores: Float64, starts: Float64, rng: np.random.Generator
) -> Float64:
    pairs, features = (len(rows), len(background)), mixing.features
    rank = rng.permuted(np.tile(np.arange(features), (*pairs, 1)), axis=2)
    steps = np.arange(1, features)
    # (2, n, B, F − 1, F).
    joined = np.stack([rank[:, :, None] < steps[:, None], rank[:, :, None] >= features - steps[:, None]])
    mixed = np.where(joined[..., mixing.owners], rows[None, :, None, None], background[None, None, :, None])
    between = (
        mixing.scores(mixed.reshape(-1, rows.shape[1])).reshape(2, *pairs, -1)
        if features > 1
        else np.empty((2, *pairs, 0))
    )
    ends = [np.broadcast_to(each, (2, *pairs))[..., None] for each in (starts[None, :], scores[:, None])]
    added = np.diff(np.concatenate([ends[0], between, ends[1]], axis=3), axis=3)  # by place in the order
    own = np.take_along_axis(added[0], rank, axis=2) + np.take_along_axis(added[1], features - 1 - rank, axis=2)
    found: Float64 = own.mean(axis=1) / 2
    return found
