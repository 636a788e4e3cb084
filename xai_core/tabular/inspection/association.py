"""Association of features, and the share of value pairs that partial dependence asks about and the data do not have.

The strength |ρ| of two columns is 0 to 1: Spearman's rank correlation of two numeric ones, the correlation ratio on
ranks of a numeric and a category (root of the share of the ranks' variance that the categories explain), Cramér's V
(1946) of two categories. scipy's forms differ: no correction for chance, no correlation ratio, other rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.arrays import Float64, Int64
from xai_core.formatting import percent, score

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

STRONG = 0.6
"""|ρ| above which a warning is given."""
# A smaller share of combinations outside the data is not reported: rows are missing by chance too.
MIN_SHARE = 0.005
ROWS_PER_CELL = 5
MAX_BINS = 10
MIN_PAIRS = 5
# Larger tables are measured on evenly spaced rows: ρ is then known to about 0.01.
MAX_ROWS = 5_000


@dataclass(frozen=True)
class Extrapolation:
    """Associations of a feature, and what they mean for plots that vary it alone."""

    feature: str
    correlations: Mapping[str, float]
    """ρ with every other feature, the strongest first: −1 to 1 between numeric features, else 0 to 1."""
    partner: str
    """The feature it goes together with most, "" if the table has no other."""
    share: float
    """Share, 0 to 1, of the pairs (a value of the feature, a row's value of the partner) that are not in the data."""
    sentence: str
    """The warning, "" where |ρ| is at most 0.6 everywhere."""

    @property
    def notes(self) -> tuple[str, ...]:
        return (self.sentence,) if self.sentence else ()


def measure_extrapolation(table: Table, feature: str) -> Extrapolation:
    """Return a feature's correlations, and the share of combinations outside the data when it is varied alone.

    Raises: UnknownName (no such feature).

    >>> import numpy as np, pandas as pd
    >>> from xai_core.tabular import table_from
    >>> values = np.arange(100.0)
    >>> result = measure_extrapolation(table_from(pd.DataFrame({"a": values, "b": values**2}), values), "a")
    >>> result.partner, round(result.correlations["b"], 3)
    ('b', 1.0)
    """
    partners = [column.name for column in table.columns if column.name != table.check_feature(feature)]
    correlations = {partner: _correlate_features(table, feature, partner) for partner in partners}
    # The strongest first; equal ones stay in the order of the table.
    ordered = dict(sorted(correlations.items(), key=lambda pair: -abs(pair[1])))
    partner = next(iter(ordered), "")
    share = extrapolation_share(table, feature, partner) if partner else 0.0
    strong = [(name, rho) for name, rho in ordered.items() if abs(rho) > STRONG]
    return Extrapolation(feature, ordered, partner, share, _format_warning(feature, strong, share) if strong else "")


def rank_by_target(table: Table) -> Mapping[str, float]:
    """Return each feature's |ρ| with the target, 0 to 1, the strongest first.

    >>> import numpy as np, pandas as pd
    >>> from xai_core.tabular import table_from
    >>> values = np.arange(100.0)
    >>> strengths = rank_by_target(table_from(pd.DataFrame({"a": values % 2, "b": -values}), values))
    >>> {name: round(strength, 2) for name, strength in strengths.items()}
    {'b': 1.0, 'a': 0.02}
    """
    import pandas as pd

    rows = _space_rows(len(table))
    target = pd.Series(table.target[rows])
    target = target.map(lambda index: table.classes[index]).astype(object) if table.classes else target
    strengths = {}
    for column in table.columns:
        cells = table.frame[column.name].iloc[rows].reset_index(drop=True).dropna()
        strengths[column.name] = abs(_correlate(cells, target[cells.index])) if len(cells) >= MIN_PAIRS else 0.0
    return dict(sorted(strengths.items(), key=lambda pair: -pair[1]))


def extrapolation_share(table: Table, first: str, second: str) -> float:
    """Return the share, 0 to 1, of the value pairs that varying one feature alone makes and the data do not have.

    Both features are cut into bins of equally many rows (categories as they are), so few that a cell of both would hold
    five rows if the features were independent. A cell without any row counts with the weight of its two bins.
    """
    cells = _sample_both(table, first, second)
    if len(cells) < MIN_PAIRS:
        return 0.0
    # Independent features then leave about e⁻⁵ of the cells empty by chance.
    bins = max(2, min(MAX_BINS, int(np.sqrt(len(cells) / ROWS_PER_CELL))))
    counts = _count_pairs(_assign_bins(cells[first], bins), _assign_bins(cells[second], bins))
    # The share of each cell if the features were independent.
    weights = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / counts.sum() ** 2
    return float(weights[counts == 0].sum())


def _format_warning(feature: str, strong: list[tuple[str, float]], share: float) -> str:
    names = ", ".join(f"{name} (ρ = {score(rho)})" for name, rho in strong[:3])
    if len(strong) > 3:
        names += f" and {len(strong) - 3} more"
    if share < MIN_SHARE:
        consequence = "combinations that are rare in your data count as much as frequent ones."
        return f"{feature} goes together with {names}: {consequence}"
    part = percent(share).capitalize() if share < 0.01 else f"About {percent(share)}"
    return f"{feature} goes together with {names}. {part} of these combinations do not exist in your data."


def _correlate_features(table: Table, first: str, second: str) -> float:
    """Return ρ of two features over the rows that have both; 0 where they are too few."""
    cells = _sample_both(table, first, second)
    return _correlate(cells[first], cells[second]) if len(cells) >= MIN_PAIRS else 0.0


def _correlate(a: pd.Series[Any], b: pd.Series[Any]) -> float:
    """Return ρ of two columns without gaps: signed for numeric ones, else 0 to 1; 0 where it is not defined."""
    # Categories are stored as objects, everything else as numbers.
    if a.dtype == object:
        return _cramers_v(a, b) if b.dtype == object else _correlation_ratio(a, b)
    return _correlation_ratio(b, a) if b.dtype == object else _spearman(a, b)


def _sample_both(table: Table, first: str, second: str) -> pd.DataFrame:
    """Return evenly spaced rows in which both columns have a value."""
    return table.frame[[first, second]].iloc[_space_rows(len(table))].dropna()


def _space_rows(count: int) -> Int64:
    """Return evenly spaced places among `count` rows, at most MAX_ROWS."""
    return np.linspace(0, count - 1, min(count, MAX_ROWS)).astype(np.int64)


def _spearman(a: pd.Series[Any], b: pd.Series[Any]) -> float:
    first, second = (ranks - ranks.mean() for ranks in (values.rank().to_numpy() for values in (a, b)))
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale else 0.0


def _correlation_ratio(names: pd.Series[Any], numbers: pd.Series[Any]) -> float:
    """Return the root of the share of the ranks' variance between the categories, corrected for their number."""
    ranks = numbers.rank()
    total = float(((ranks - ranks.mean()) ** 2).sum())
    groups = ranks.groupby(names)
    # Variance that the categories do not explain.
    within = float(((ranks - groups.transform("mean")) ** 2).sum())
    rows, categories = len(ranks), groups.ngroups
    if not total or rows <= categories:
        return 0.0
    # Unbiased variances: many small categories explain some variance by chance.
    return float(np.sqrt(max(1 - (within / (rows - categories)) / (total / (rows - 1)), 0.0)))


def _cramers_v(a: pd.Series[Any], b: pd.Series[Any]) -> float:
    """Return Cramér's V with Bergsma's (2013) correction, without which many rare categories look related by chance."""
    from scipy.stats.contingency import expected_freq

    counts = _count_pairs(a, b)
    rows = counts.sum()
    height, width = counts.shape
    expected = expected_freq(counts)
    # χ² per row, less its expectation under independence.
    excess = max(((counts - expected) ** 2 / expected).sum() / rows - (height - 1) * (width - 1) / (rows - 1), 0.0)
    # The largest value that this can take in a table of this size, corrected likewise.
    largest = min(height - (height - 1) ** 2 / (rows - 1), width - (width - 1) ** 2 / (rows - 1)) - 1
    return float(min(np.sqrt(excess / largest), 1.0)) if largest > 0 else 0.0


def _assign_bins(values: pd.Series[Any], bins: int) -> pd.Series[Any]:
    """Return the bin of each value: categories as they are, rare ones together."""
    import pandas as pd

    if values.dtype == object:
        # A rare category alone would leave its cells empty by chance.
        counts = values.map(values.value_counts())
        return values.where(counts >= len(values) / MAX_BINS / 2, "another value")
    numbers = values.to_numpy(dtype=np.float64)
    # A frequent value may fill several quantiles: its bin is then larger.
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, bins + 1)[1:-1]))
    return pd.Series(np.searchsorted(edges, numbers, side="left"), index=values.index)


def _count_pairs(a: pd.Series[Any], b: pd.Series[Any]) -> Float64:
    """Return the number of rows with each pair of values, (values of a, values of b)."""
    first, names_a = a.factorize()
    second, names_b = b.factorize()
    counts = np.zeros((len(names_a), len(names_b)))
    np.add.at(counts, (first, second), 1)
    return counts
