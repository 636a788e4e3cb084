"""Scores and error rates of a model by the groups of a column, with intervals and a test against chance.

Rates are given with Wilson's 95 % intervals (Wilson 1927); one test of all groups together says whether a difference
can be chance (Pearson's chi-squared test). Different rates are a reason to look, not a verdict: rates by group cannot
all be equal at once where the groups differ (Kleinberg et al. 2016, arXiv:1609.05807).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Bool, Float64, Int64
from xai_core.errors import InvalidParam
from xai_core.formatting import percent
from xai_core.tabular.data.table import Table
from xai_core.tabular.evaluation.groups import group_membership
from xai_core.tabular.evaluation.proxies import Proxies, Proxy, proxies

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel

__all__ = ["Estimate", "Group", "Groups", "Proxies", "Proxy", "group_scores", "proxies"]

# Rows under which a group's numbers say little.
FEW_ROWS = 30
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Estimate:
    """A rate or mean with its 95 % interval, over `count` rows; all NaN over none."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Group:
    """The model's scores and errors on the rows of one group. Fields that the task does not have are None."""

    name: str
    count: int
    mean_score: Estimate
    """Mean probability of the outcome, or mean predicted value."""
    actual: Estimate
    """Share of rows that truly have the outcome, or the mean of the target."""
    positive: Estimate | None = None
    """Share of rows predicted to have the outcome."""
    false_positive: Estimate | None = None
    """Share predicted to have the outcome among rows without it."""
    false_negative: Estimate | None = None
    """Share predicted to have another outcome among rows with the outcome."""
    error: Estimate | None = None
    """Mean of predicted less true value of a regression; positive means that the model says too much."""


@dataclass(frozen=True, eq=False)
class Groups:
    """All groups of a column, and a judgement of their differences."""

    column: str
    outcome: int | None
    groups: tuple[Group, ...]
    p_value: float
    """Probability of differences of at least this size under equal treatment; NaN with too few rows."""
    sentence: str
    notes: tuple[str, ...]


def group_scores(
    model: TabularModel,
    table: Table,
    column: str,
    rows: Sequence[int] | Int64 | None = None,
    outcome: int | None = None,
    bins: int = 4,
) -> Groups:
    """Compute counts, scores and error rates by group of a column, on `rows` of the table (None: the held-out ones).

    Numbers and dates are cut into `bins` groups of about equal size.

    Raises: UnknownName (the column), InvalidParam.

    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import TabularModel, table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0] * 4}), [1.0, 3.0, 2.0, 4.0] * 2)
    >>> model = TabularModel.of_estimator(LinearRegression().fit(table.frame, table.target), table)
    >>> result = group_scores(model, table, "a")
    >>> [(group.name, group.count, round(group.mean_score.value, 6)) for group in result.groups]
    [('up to 0', 4, 1.5), ('over 0', 4, 3.5)]
    """
    selected = np.asarray(model.test_rows if rows is None else rows, dtype=np.int64)
    if not len(selected):
        raise InvalidParam("There are no rows to look at. Got an empty choice.")
    index = table.outcome_index(outcome)
    names, membership = group_membership(table, column, selected, bins)
    predictions = model.predict(table.take(selected))
    truth = table.target[selected]
    members = [membership == group for group in range(len(names))]
    groups = tuple(
        _score_group(name, predictions[flags], truth[flags], index) for name, flags in zip(names, members, strict=True)
    )
    p_value = _test_equality(membership, predictions, truth, index)
    small = [f"{group.name} ({group.count})" for group in groups if group.count < FEW_ROWS]
    notes = (f"Fewer than {FEW_ROWS} rows, so the numbers say little: {', '.join(small)}.",) if small else ()
    sentence = _describe_difference(table, column, groups, index, p_value)
    return Groups(column, index, groups, p_value, sentence, notes)


def _score_group(name: str, predictions: Float64, truth: npt.NDArray[np.generic], outcome: int | None) -> Group:
    if outcome is None:
        values = truth.astype(np.float64)
        error = _estimate_mean(predictions - values)
        return Group(name, len(truth), _estimate_mean(predictions), _estimate_mean(values), error=error)
    positive, actual = predictions.argmax(axis=1) == outcome, truth == outcome
    return Group(
        name,
        len(truth),
        _estimate_mean(predictions[:, outcome]),
        _estimate_rate(actual),
        positive=_estimate_rate(positive),
        false_positive=_estimate_rate(positive[~actual]),
        false_negative=_estimate_rate(~positive[actual]),
    )


def _estimate_rate(flags: Bool) -> Estimate:
    """Return a share with Wilson's interval."""
    from scipy.stats import binomtest

    if not len(flags):
        return Estimate(np.nan, np.nan, np.nan, 0)
    interval = binomtest(int(flags.sum()), len(flags)).proportion_ci(0.95, method="wilson")
    return Estimate(float(flags.mean()), float(interval.low), float(interval.high), len(flags))


def _estimate_mean(values: Float64) -> Estimate:
    """Return a mean with Student's interval; of a single row there is none."""
    from scipy.stats import t

    count = len(values)
    if count < 2:
        return Estimate(float(values[0]) if count else np.nan, np.nan, np.nan, count)
    mean = float(values.mean())
    # Two-sided 95 %.
    margin = float(t.ppf(0.975, count - 1) * values.std(ddof=1) / count**0.5)
    return Estimate(mean, mean - margin, mean + margin, count)


def _test_equality(
    membership: Int64, predictions: Float64, truth: npt.NDArray[np.generic], outcome: int | None
) -> float:
    """Return the p-value of equal rates (chi-squared), or of equal mean errors (Welch, all pairs, Bonferroni)."""
    groups = np.unique(membership)
    if outcome is not None:
        positive = predictions.argmax(axis=1) == outcome
        counts = [
            [np.sum(positive & (membership == group)), np.sum(~positive & (membership == group))] for group in groups
        ]
        return _test_rates(np.array(counts))
    errors = predictions - truth.astype(np.float64)
    return _test_means([errors[membership == group] for group in groups])


def _test_rates(counts: Int64) -> float:
    """Return the p-value of counts (groups, 2); NaN where the test is not to be trusted."""
    from scipy.stats import chi2_contingency

    if len(counts) < 2 or not counts.sum(axis=0).all():
        return float("nan")
    result = chi2_contingency(counts, correction=False)
    # At least five expected in each cell (Cochran 1954).
    return float(result.pvalue) if result.expected_freq.min() >= 5 else float("nan")


def _test_means(groups: list[Float64]) -> float:
    from scipy.stats import ttest_ind

    pairs = combinations([values for values in groups if len(values) >= 2], 2)
    p_values = [float(ttest_ind(second, first, equal_var=False).pvalue) for first, second in pairs]
    # Bonferroni: the smallest of several p-values, times their number.
    return min(1.0, min(p_values) * len(p_values)) if p_values and not np.isnan(p_values).any() else float("nan")


def _describe_difference(
    table: Table, column: str, groups: Sequence[Group], outcome: int | None, p_value: float
) -> str:
    """Return the largest difference and a careful judgement of it."""
    if len(groups) < 2:
        return f"All rows looked at have the same {column}, so there is nothing to compare."
    estimates = [(group.name, group.positive if group.positive is not None else group.error) for group in groups]
    known = [(estimate.value, name) for name, estimate in estimates if estimate is not None and estimate.count]
    high, high_name = max(known, key=lambda pair: pair[0])
    low, low_name = min(known, key=lambda pair: pair[0])
    if outcome is None:
        sides = f"{high:+,.3g} for {column} {high_name} and by {low:+,.3g} for {low_name}"
        difference = f"On average the prediction is off by {sides}."
    else:
        difference = (
            f"The model says “{table.classes[outcome]}” for {percent(high)} of the rows with {column} {high_name} "
            f"and for {percent(low)} of those with {low_name}."
        )
    return f"{difference} {_judge(p_value)}"


def _judge(p_value: float) -> str:
    if np.isnan(p_value):
        return "There are too few rows to tell this from chance."
    if p_value >= SIGNIFICANT:
        return "A difference of this size can well be chance."
    differ = "the groups may differ in what the decision rightly rests on"
    return f"That is hardly chance. Whether it is unfair, these numbers cannot say: {differ}."
