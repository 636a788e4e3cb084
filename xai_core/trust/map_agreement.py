"""Agreement of maps: rank correlation over all pixels, and overlap of the strongest tenth.

Both are used for comparing attributions since Adebayo et al. 2018, arXiv:1810.03292, and Krishna et al. 2022,
arXiv:2202.01602.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from xai_core.arrays import Float64
from xai_core.results import Attribution

# Share of the pixels that counts as the strongest evidence.
TOP = 0.1


@dataclass(frozen=True)
class Agreement:
    """Symmetric (n, n) matrices over n maps; NaN where two cannot be compared: flat, broken, or on different grids."""

    rank: Float64
    """Spearman's correlation of the signed values: 1 the same order, 0 none, -1 the opposite one."""
    overlap: Float64
    """Share of the strongest tenth that both have in common: 1 all of it, 0.1 what chance gives."""

    @property
    def mean_rank(self) -> Float64:
        """Mean correlation of each map with those it can be compared with, (n,); NaN where there is none."""
        comparable = np.isfinite(self.rank) & ~np.eye(len(self.rank), dtype=bool)
        total, count = np.where(comparable, self.rank, 0).sum(axis=1), comparable.sum(axis=1)
        mean: Float64 = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return mean


def _standardize_ranks(heat: Float64) -> Float64:
    """Return the ranks of all pixels, scaled so that the product of two such rows is their correlation."""
    ranks = rankdata(heat, axis=None) - (heat.size + 1) / 2
    unit: Float64 = ranks / np.linalg.norm(ranks)
    return unit


def _top_membership(heat: Float64) -> Float64:
    """Return how far each pixel belongs to the strongest tenth, 0 to 1; pixels tied at its edge share what is left."""
    values, count = heat.ravel(), TOP * heat.size
    edge = np.partition(values, values.size - int(np.ceil(count)))[values.size - int(np.ceil(count))]
    above, at_edge = values > edge, values == edge
    share: Float64 = (above + at_edge * (count - above.sum()) / at_edge.sum()) / count
    return share


def agreement(maps: Sequence[Attribution]) -> Agreement:
    """Compare every map with every other by their heat maps (H, W)."""
    heats = [attribution.heatmap.astype(np.float64) for attribution in maps]
    sound = [bool(np.isfinite(heat).all() and np.ptp(heat) > 0) for heat in heats]
    ranks = [_standardize_ranks(heat) if good else None for heat, good in zip(heats, sound, strict=True)]
    tops = [_top_membership(heat) if good else None for heat, good in zip(heats, sound, strict=True)]
    rank, overlap = np.full((2, len(maps), len(maps)), np.nan)
    for i, j in np.ndindex(rank.shape):
        rank_i, rank_j, top_i, top_j = ranks[i], ranks[j], tops[i], tops[j]
        if rank_i is None or rank_j is None or top_i is None or top_j is None or heats[i].shape != heats[j].shape:
            continue
        rank[i, j] = np.clip(rank_i @ rank_j, -1, 1)
        overlap[i, j] = np.minimum(top_i, top_j).sum()
    return Agreement(rank, overlap)
