"""How far do the methods agree about a row? Rank correlation of the bars and the overlap of the three strongest features.

Both are measures of Krishna et al. 2022, arXiv:2202.01602 (rank correlation, feature agreement).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from xai_core.arrays import Float64
from xai_core.errors import InvalidParam
from xai_core.tabular.row.method import Contributions

TOP = 3
"""Features that count as the strongest."""


@dataclass(frozen=True, eq=False)
class RowAgreement:
    """Symmetric matrices over the methods, in their order. NaN where a method's bars are all equal or broken."""

    methods: tuple[str, ...]
    rank: Float64
    """Spearman's correlation of the signed bars: 1 the same order, 0 none, -1 the opposite one."""
    overlap: Float64
    """Share of the three strongest features that both have in common, 0 to 1."""
    sentence: str


def agreement_rows(contributions: Sequence[Contributions]) -> RowAgreement:
    """Every explanation of one row against every other. Raises InvalidParam if they speak about different features or outcomes."""
    if len({(each.features, each.outcome) for each in contributions}) > 1:
        raise InvalidParam("Only explanations of the same features and the same outcome can be compared.")
    count = len(contributions)
    rank, overlap = np.full((2, count, count), np.nan)
    values = [each.values for each in contributions]
    sound = [bool(np.isfinite(each).all() and np.ptp(each) > 0) for each in values]
    for i, j in np.ndindex(count, count):
        if sound[i] and sound[j]:
            rank[i, j] = np.corrcoef(rankdata(values[i]), rankdata(values[j]))[0, 1]
            overlap[i, j] = _shared(contributions[i], contributions[j])
    return RowAgreement(tuple(each.method for each in contributions), rank, overlap, _sentence(contributions, overlap))


def _strongest(found: Contributions) -> set[int]:
    return {int(place) for place in found.order[:TOP] if found.values[place] != 0}


def _shared(one: Contributions, other: Contributions) -> float:
    mine, theirs = _strongest(one), _strongest(other)
    return len(mine & theirs) / max(len(mine), len(theirs))


def _sentence(contributions: Sequence[Contributions], overlap: Float64) -> str:
    """What all of them name among their three strongest, in words."""
    if len(contributions) < 2 or np.isnan(overlap).any():
        return ""
    everybody = set.intersection(*map(_strongest, contributions))
    names = [contributions[0].features[place] for place in contributions[0].order if int(place) in everybody]
    if not names:
        return "No feature is among the three strongest of every method: they do not agree about this row."
    if len(names) == TOP:
        return f"All methods name the same three strongest features: {', '.join(names)}."
    return f"All methods have {' and '.join(names)} among their three strongest features; they differ about the rest."
