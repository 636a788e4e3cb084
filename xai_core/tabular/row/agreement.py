"""Agreement of methods about a row: rank correlation of the bars and overlap of the three strongest features.

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

# Features that count as the strongest.
TOP = 3


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
    """Compare every explanation of one row with every other.

    Raises: InvalidParam (explanations of different features or outcomes).

    >>> names = ("a", "b", "c")
    >>> shap = Contributions("shap", names, names, np.array([3.0, -2.0, 1.0]), 0.0, 2.0, "probability", 1, {}, 0)
    >>> lime = Contributions("lime", names, names, np.array([5.0, -9.0, 1.0]), 0.0, 2.0, "probability", 1, {}, 0)
    >>> agreement_rows([shap, lime]).rank.round(3).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    if len({(result.features, result.outcome) for result in contributions}) > 1:
        raise InvalidParam("Only explanations of the same features and the same outcome can be compared.")
    count = len(contributions)
    rank, overlap = np.full((2, count, count), np.nan)
    values = [result.values for result in contributions]
    sound = [bool(np.isfinite(bars).all() and np.ptp(bars) > 0) for bars in values]
    # A bar of 0 is not strong, whatever its place.
    strongest = [{int(k) for k in result.order[:TOP] if result.values[k] != 0} for result in contributions]
    for i, j in np.ndindex(count, count):
        if sound[i] and sound[j]:
            rank[i, j] = np.corrcoef(rankdata(values[i]), rankdata(values[j]))[0, 1]
            overlap[i, j] = len(strongest[i] & strongest[j]) / max(len(strongest[i]), len(strongest[j]))
    sentence = "" if count < 2 or np.isnan(overlap).any() else _describe_overlap(contributions[0], strongest)
    return RowAgreement(tuple(result.method for result in contributions), rank, overlap, sentence)


def _describe_overlap(first: Contributions, strongest: Sequence[set[int]]) -> str:
    """Return the features that all methods name among their three strongest, in words."""
    shared = set.intersection(*strongest)
    names = [first.features[index] for index in first.order if int(index) in shared]
    if not names:
        return "No feature is among the three strongest of every method: they do not agree about this row."
    methods = "Both methods" if len(strongest) == 2 else "All methods"
    if len(names) == TOP:
        return f"{methods} name the same three strongest features: {', '.join(names)}."
    return f"{methods} have {' and '.join(names)} among their three strongest features; they differ about the rest."
