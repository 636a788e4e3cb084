"""Agreement of maps at one common grain: rank correlation over the places, and overlap of the strongest tenth.

Both are used for comparing attributions since Adebayo et al. 2018, arXiv:1810.03292, and Krishna et al. 2022,
arXiv:2202.01602. Pixel by pixel, a map of single pixels and a map of regions have nothing in common, whatever they
show; so all maps are averaged over places of one size first.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy.stats import rankdata

from xai_core.arrays import Bool, Float64
from xai_core.object_cache import cache_per_object
from xai_core.results import Attribution

# Share of the places that counts as the strongest evidence.
TOP = 0.1
# Places a side of the common grain. A place is averaged by a Gaussian one place wide (14 pixels of 224): about the
# detail of the coarsest maps, 7 x 7 stretched, while sums of single pixels are no longer lost in noise. Unrelated
# white noise then correlates by 0.15 (standard deviation).
GRAIN = 16
# Rank correlation from which two maps agree, and down to which they contradict: twice what chance gives.
AGREE, CONTRADICT = 0.3, -0.3
# Spread after averaging, as a share of the largest value, up to which nothing is left of a map.
EVEN = 1e-6

Gap = Literal["", "broken", "flat", "grid", "picture"]
# A sentence for each reason that two maps have no number; "" where they have one.
GAPS: Mapping[Gap, str] = {
    "": "",
    "broken": "One of the two maps has places without a number.",
    "flat": "One of the two maps is the same everywhere, so it points at nothing.",
    "grid": "The two maps divide the picture into different numbers of pixels.",
    "picture": "The two maps are about different pictures.",
}


@dataclass(frozen=True)
class Agreement:
    """Symmetric (n, n) matrices over n maps; NaN where two cannot be compared: flat, broken, or on different grids."""

    rank: Float64
    """Spearman's correlation of the signed values: 1 the same order, 0 none, -1 the opposite one."""
    overlap: Float64
    """Share of the strongest tenth that both have in common: 1 all of it, 0.1 what chance gives."""
    gaps: tuple[tuple[Gap, ...], ...] = ()
    """Reason of each empty cell, (n, n): a key of GAPS, "" where there is a number."""

    @property
    def comparable(self) -> Bool:
        """True where two different maps have a number, (n, n)."""
        comparable: Bool = np.isfinite(self.rank) & ~np.eye(len(self.rank), dtype=bool)
        return comparable

    @property
    def reasons(self) -> tuple[str, ...]:
        """A sentence for each reason that cells are empty."""
        return tuple(dict.fromkeys(GAPS[gap] for row in self.gaps for gap in row if gap))

    @property
    def mean_rank(self) -> Float64:
        """Mean correlation of each map with those it can be compared with, (n,); NaN where there is none."""
        comparable = self.comparable
        total, count = np.where(comparable, self.rank, 0).sum(axis=1), comparable.sum(axis=1)
        mean: Float64 = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return mean

    @property
    def agrees(self) -> Bool:
        """True where two maps order places alike and share more of the strongest ones than chance gives, (n, n)."""
        agrees: Bool = self.comparable & (np.nan_to_num(self.rank) >= AGREE) & (np.nan_to_num(self.overlap) > TOP)
        return agrees

    @property
    def group(self) -> tuple[int, ...]:
        """The largest set of maps that all agree with one of them, two at least; () where no two agree."""
        agrees = self.agrees
        if not agrees.any():
            return ()
        centre = int(agrees.sum(axis=1).argmax())
        return tuple(np.flatnonzero(agrees[centre] | (np.arange(len(agrees)) == centre)).tolist())


@functools.lru_cache(maxsize=64)
def _place_weights(length: int, grain: int) -> Float64:
    """Return the weights of the pixels of a side for each of its places, (places, length); rows sum to 1."""
    places = min(grain, length)
    centres = (np.arange(places) + 0.5) * length / places - 0.5
    distances = (np.arange(length) - centres[:, None]) * grain / length
    weights: Float64 = np.exp(-0.5 * distances**2)
    weights /= weights.sum(axis=1, keepdims=True)
    weights.flags.writeable = False
    return weights


def average_places(heat: Float64, grain: int = GRAIN) -> Float64:
    """Return a map (H, W) averaged over places: at most (grain, grain), each one Gaussian-weighted.

    >>> average_places(np.ones((224, 224))).shape
    (16, 16)
    """
    rows, columns = (_place_weights(length, grain) for length in heat.shape)
    averaged: Float64 = rows @ heat @ columns.T
    return averaged


def _standardize_ranks(heat: Float64) -> Float64:
    """Return the ranks of all places, scaled so that the product of two such rows is their correlation."""
    ranks = rankdata(heat, axis=None) - (heat.size + 1) / 2
    unit: Float64 = ranks / np.linalg.norm(ranks)
    return unit


def _top_membership(heat: Float64) -> Float64:
    """Return how far each place belongs to the strongest tenth, 0 to 1; places tied at its edge share what is left."""
    values, count = heat.ravel(), TOP * heat.size
    edge = np.partition(values, values.size - int(np.ceil(count)))[values.size - int(np.ceil(count))]
    above, at_edge = values > edge, values == edge
    share: Float64 = (above + at_edge * (count - above.sum()) / at_edge.sum()) / count
    return share


def _find_gap(heat: Float64, averaged: Float64) -> Gap:
    """Return the reason that a map has no order of places; "" where it has one."""
    if not np.isfinite(heat).all():
        return "broken"
    return "flat" if np.ptp(heat) == 0 or np.ptp(averaged) <= EVEN * np.abs(heat).max() else ""


class _Profile(NamedTuple):
    """The compared part of a map: ranks and membership of its strongest tenth, by place; empty where there is a gap."""

    gap: Gap
    ranks: Float64
    tops: Float64


def _build_profile(attribution: Attribution, grain: int | None) -> _Profile:
    heat = attribution.heatmap.astype(np.float64)
    places = heat if grain is None else average_places(heat, grain)
    gap = _find_gap(heat, places)
    if gap:
        return _Profile(gap, np.zeros(0), np.zeros(0))
    return _Profile(gap, _standardize_ranks(places), _top_membership(places))


@cache_per_object
def _usual_profile(attribution: Attribution) -> _Profile:
    """Return the profile at the common grain: a page compares the same maps again whenever another one is ready."""
    return _build_profile(attribution, GRAIN)


def agreement(maps: Sequence[Attribution], grain: int | None = GRAIN) -> Agreement:
    """Compare every map with every other by their heat maps (H, W), averaged over places; `grain` None: by pixels."""
    profiles = [_usual_profile(result) if grain == GRAIN else _build_profile(result, grain) for result in maps]
    described = list(zip(maps, profiles, strict=True))
    gaps = tuple(tuple(_find_pair_gap(first, second) for second in described) for first in described)
    rank, overlap = np.full((2, len(maps), len(maps)), np.nan)
    for i, j in np.ndindex(rank.shape):
        if not gaps[i][j]:
            rank[i, j] = np.clip(profiles[i].ranks @ profiles[j].ranks, -1, 1)
            overlap[i, j] = np.minimum(profiles[i].tops, profiles[j].tops).sum()
    return Agreement(rank, overlap, gaps)


def _find_pair_gap(first: tuple[Attribution, _Profile], second: tuple[Attribution, _Profile]) -> Gap:
    (attribution, profile), (another, other_profile) = first, second
    if attribution.image_sha256 != another.image_sha256:
        return "picture"
    same_grid = attribution.values.shape[-2:] == another.values.shape[-2:]
    return profile.gap or other_profile.gap or ("" if same_grid else "grid")
