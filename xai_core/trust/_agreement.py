"""How far do maps agree? Rank correlation over all pixels, and the overlap of the strongest tenth.

Both are used for comparing attributions since Adebayo et al. 2018, arXiv:1810.03292, and Krishna et al. 2022, arXiv:2202.01602.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from xai_core.results import Attribution

Doubles = npt.NDArray[np.float64]
TOP = 0.1
"""Share of the pixels that counts as the strongest evidence."""


@dataclass(frozen=True)
class Agreement:
    """Symmetric matrices over the maps, in their order. NaN where two maps cannot be compared: flat, broken, or on different grids."""

    rank: Doubles
    """Spearman's correlation of the signed values: 1 the same order, 0 none, -1 the opposite one."""
    overlap: Doubles
    """Share of the strongest tenth that both have in common: 1 all of it, 0.1 what chance gives."""

    @property
    def mean_rank(self) -> Doubles:
        """Each map's mean correlation with the others it can be compared with, (n,); NaN where there is none."""
        known = np.isfinite(self.rank) & ~np.eye(len(self.rank), dtype=bool)
        total, count = np.where(known, self.rank, 0).sum(axis=1), known.sum(axis=1)
        mean: Doubles = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return mean


def _standard_ranks(heat: Doubles) -> Doubles:
    """Ranks of all pixels, shifted and scaled so that the product of two such rows is their correlation."""
    ranks = rankdata(heat, axis=None) - (heat.size + 1) / 2
    unit: Doubles = ranks / np.linalg.norm(ranks)
    return unit


def _strongest(heat: Doubles) -> Doubles:
    """How far each pixel belongs to the strongest tenth, 0 to 1. Pixels tied at its edge share what is left: order must not decide."""
    values, wanted = heat.ravel(), TOP * heat.size
    edge = np.partition(values, values.size - int(np.ceil(wanted)))[values.size - int(np.ceil(wanted))]
    above, tied = values > edge, values == edge
    share: Doubles = (above + tied * (wanted - above.sum()) / tied.sum()) / wanted
    return share


def agreement(maps: Sequence[Attribution]) -> Agreement:
    """Every map against every other, by their heat maps (H, W)."""
    heats = [each.heatmap.astype(np.float64) for each in maps]
    sound = [bool(np.isfinite(heat).all() and np.ptp(heat) > 0) for heat in heats]
    ranks = [_standard_ranks(heat) if good else None for heat, good in zip(heats, sound, strict=True)]
    tops = [_strongest(heat) if good else None for heat, good in zip(heats, sound, strict=True)]
    rank, overlap = np.full((2, len(maps), len(maps)), np.nan)
    for i, j in np.ndindex(rank.shape):
        one, other = ranks[i], ranks[j]
        top, top_other = tops[i], tops[j]
        if one is None or other is None or top is None or top_other is None or heats[i].shape != heats[j].shape:
            continue
        rank[i, j] = np.clip(one @ other, -1, 1)
        overlap[i, j] = np.minimum(top, top_other).sum()
    return Agreement(rank, overlap)
