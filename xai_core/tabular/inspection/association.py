"""Which features go together, and how much of what partial dependence asks about does not exist in the data.

The strength |ρ| of two columns is 0 to 1: Spearman's rank correlation of two numeric ones, the correlation ratio on ranks of a numeric
and a category (how much of the ranks' variance the categories explain, as a root), Cramér's V (1946) of two categories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

STRONG = 0.6
"""From this |ρ| on we warn."""
SMALLEST_SHARE = 0.005
"""A smaller share of unreal combinations is nothing to speak of: rows are missing by chance too."""
ROWS_A_CELL = 5
MOST_PARTS = 10
FEWEST_PAIRS = 5
MOST_ROWS = 5_000
"""Larger tables are looked at through a sample of evenly spaced rows: ρ is then known to about 0.01."""


@dataclass(frozen=True)
class Extrapolation:
    """What a feature goes together with, and what that means for plots that vary it alone."""

    feature: str
    correlations: Mapping[str, float]
    """ρ with every other feature, the strongest first: −1 to 1 between numeric features, else 0 to 1."""
    partner: str
    """The feature it goes together with most, "" if the table has no other."""
    share: float
    """Share, 0 to 1, of the pairs (a value of the feature, a row's value of the partner) that do not occur in the data."""
    sentence: str
    """The warning, "" where |ρ| is at most 0.6 everywhere."""

    @property
    def notes(self) -> tuple[str, ...]:
        return (self.sentence,) if self.sentence else ()


def measure_extrapolation(table: Table, feature: str) -> Extrapolation:
    """How strongly a feature is tied to the others, and the share of unreal combinations that varying it alone makes.

    Raises UnknownName.
    """
    others = [column.name for column in table.columns if column.name != table.check_feature(feature)]
    found = {other: association(table, feature, other) for other in others}
    ordered = dict(sorted(found.items(), key=lambda each: -abs(each[1])))
    partner = next(iter(ordered), "")
    share = extrapolation_share(table, feature, partner) if partner else 0.0
    strong = [(name, rho) for name, rho in ordered.items() if abs(rho) > STRONG]
    return Extrapolation(feature, ordered, partner, share, _warning(feature, strong, share) if strong else "")


def _warning(feature: str, strong: list[tuple[str, float]], share: float) -> str:
    named = ", ".join(f"{name} (ρ = {rho:.2f})" for name, rho in strong[:3]) + (
        f" and {len(strong) - 3} more" if len(strong) > 3 else ""
    )
    if share < SMALLEST_SHARE:
        return f"{feature} goes together with {named}: combinations that are rare in your data count as much as frequent ones."
    return f"{feature} goes together with {named}. About {share:.0%} of these combinations do not exist in your data."


def association(table: Table, first: str, second: str) -> float:
    """ρ of two columns over the rows that have both: signed for numeric ones, else 0 to 1; 0 where it is not defined."""
    cells = _both(table, first, second)
    if len(cells) < FEWEST_PAIRS:
        return 0.0
    kinds = [table.column(name).kind == "category" for name in (first, second)]
    a, b = cells[first], cells[second]
    if all(kinds):
        return _cramers_v(a, b)
    if any(kinds):
        return _ratio(a, b) if kinds[0] else _ratio(b, a)
    return _spearman(a, b)


def _both(table: Table, first: str, second: str) -> pd.DataFrame:
    """The rows, evenly sampled, in which both columns have a value."""
    count = len(table.frame)
    rows = np.linspace(0, count - 1, min(count, MOST_ROWS)).astype(int)
    return table.frame[[first, second]].iloc[rows].dropna()


def _spearman(a: pd.Series[Any], b: pd.Series[Any]) -> float:
    ranks = [_centred(each.rank().to_numpy()) for each in (a, b)]
    size = float(np.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1])))
    return float(ranks[0] @ ranks[1]) / size if size else 0.0


def _ratio(names: pd.Series[Any], numbers: pd.Series[Any]) -> float:
    """Root of the share of the ranks' variance that lies between the categories, corrected for how many these are."""
    ranks = numbers.rank()
    total = float(((ranks - ranks.mean()) ** 2).sum())
    groups = ranks.groupby(names)
    within = float(((ranks - groups.transform("mean")) ** 2).sum())
    rows, kinds = len(ranks), groups.ngroups
    if not total or rows <= kinds:
        return 0.0
    return float(np.sqrt(max(1 - (within / (rows - kinds)) / (total / (rows - 1)), 0.0)))


def _cramers_v(a: pd.Series[Any], b: pd.Series[Any]) -> float:
    """Cramér's V with Bergsma's (2013) correction: without it many rare categories would look tied by chance."""
    counts = _counts(a, b)
    rows = counts.sum()
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / rows
    height, width = counts.shape
    excess = max(((counts - expected) ** 2 / expected).sum() / rows - (height - 1) * (width - 1) / (rows - 1), 0.0)
    least = min(height - (height - 1) ** 2 / (rows - 1), width - (width - 1) ** 2 / (rows - 1)) - 1
    return float(min(np.sqrt(excess / least), 1.0)) if least > 0 else 0.0


def extrapolation_share(table: Table, first: str, second: str) -> float:
    """Share, 0 to 1, of the pairs of values that varying one feature alone makes and that the data do not have.

    Both features are cut into parts of equally many rows (categories as they are), so few that a part of both would hold five rows if
    the features had nothing to do with each other. A pair of parts without any row counts as unreal, with the weight of its two parts.
    """
    cells = _both(table, first, second)
    if len(cells) < FEWEST_PAIRS:
        return 0.0
    parts = max(2, min(MOST_PARTS, int(np.sqrt(len(cells) / ROWS_A_CELL))))
    counts = _counts(*(_parts(cells[name], table.column(name).kind == "category", parts) for name in (first, second)))
    weight = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / counts.sum() ** 2
    return float(weight[counts == 0].sum())


def _parts(values: pd.Series[Any], category: bool, parts: int) -> pd.Series[Any]:
    """The part that each value belongs to: rare categories share one."""
    import pandas as pd

    if category:
        counts = values.map(values.value_counts())
        return values.where(counts >= len(values) / MOST_PARTS / 2, "another value")
    cuts = np.unique(np.quantile(values.to_numpy(dtype=np.float64), np.linspace(0, 1, parts + 1)[1:-1]))
    return pd.Series(np.searchsorted(cuts, values.to_numpy(dtype=np.float64), side="left"), index=values.index)


def _counts(a: pd.Series[Any], b: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """How many rows have each pair of values, (values of a, values of b)."""
    first, names_a = a.factorize()
    second, names_b = b.factorize()
    counts = np.zeros((len(names_a), len(names_b)))
    np.add.at(counts, (first, second), 1)
    return counts


def _centred(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = values - values.mean()
    return found
