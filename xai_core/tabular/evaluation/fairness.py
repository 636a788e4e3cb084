"""A look at fairness: does the model treat the groups of a column alike?

Rates are given with Wilson's 95 % intervals (Wilson 1927), and whether a difference can be chance is asked once of all groups together
(Pearson's chi-squared test). Different rates are a reason to look, not a verdict: rates by group cannot all be equal at once where the
groups differ (Kleinberg et al. 2016, arXiv:1609.05807).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64
from xai_core.errors import InvalidParam
from xai_core.tabular.data.table import Table
from xai_core.tabular.evaluation.groups import Flags, Rows, members
from xai_core.tabular.evaluation.proxies import Proxies, Proxy, proxies

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel

__all__ = ["Group", "Groups", "Estimate", "Proxies", "Proxy", "group_scores", "proxies"]

FEW = 30
"""Rows under which a group's numbers say little."""
CHANCE = 0.05


@dataclass(frozen=True)
class Estimate:
    """A rate or mean with its 95 % interval, over `count` rows; all NaN over none."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Group:
    """How the model treats the rows of one group. Fields that the task does not have are None."""

    name: str
    count: int
    mean_score: Estimate
    """Of the probability of the outcome, or of the predicted value."""
    actual: Estimate
    """Share of rows that truly have the outcome, or the mean of the target."""
    positive: Estimate | None = None
    """Share of rows to which the model says the outcome."""
    false_positive: Estimate | None = None
    """Among rows without the outcome, the share to which the model says it all the same."""
    false_negative: Estimate | None = None
    """Among rows with the outcome, the share to which the model says another."""
    error: Estimate | None = None
    """Of a regression: predicted less true value, on average; positive means that the model says too much."""


@dataclass(frozen=True, eq=False)
class Groups:
    """All groups of a column, and what may be said about their differences."""

    column: str
    outcome: int | None
    groups: tuple[Group, ...]
    p_value: float
    """How probable differences of at least this size are if the model treats all groups alike (a p-value); NaN with too few rows."""
    sentence: str
    notes: tuple[str, ...]


def group_scores(
    model: TabularModel,
    table: Table,
    column: str,
    rows: Sequence[int] | Rows | None = None,
    outcome: int | None = None,
    bins: int = 4,
) -> Groups:
    """Counts, scores and error rates by group of a column, on `rows` of the table (None: those held out from training).

    Numbers and dates are cut into `bins` groups of about equal size. Raises UnknownName (the column) and InvalidParam.
    """
    chosen = np.asarray(model.test_rows if rows is None else rows, dtype=np.int64)
    if not len(chosen):
        raise InvalidParam("There are no rows to look at. Got an empty choice.")
    meant = table.outcome_index(outcome)
    names, member = members(table, column, chosen, bins)
    answers = model.predict(table.take(chosen))
    truth = table.target[chosen]
    groups = tuple(_group(name, answers[member == g], truth[member == g], meant) for g, name in enumerate(names))
    chance = _chance(member, answers, truth, meant)
    return Groups(column, meant, groups, chance, _sentence(table, column, groups, meant, chance), _notes(groups))


def _group(name: str, answers: Float64, truth: npt.NDArray[np.generic], outcome: int | None) -> Group:
    if outcome is None:
        return Group(
            name,
            len(truth),
            _mean(answers),
            _mean(truth.astype(np.float64)),
            error=_mean(answers - truth.astype(np.float64)),
        )
    said, has = answers.argmax(axis=1) == outcome, truth == outcome
    return Group(
        name,
        len(truth),
        _mean(answers[:, outcome]),
        _rate(has),
        positive=_rate(said),
        false_positive=_rate(said[~has]),
        false_negative=_rate(~said[has]),
    )


def _rate(flags: Flags) -> Estimate:
    """A share with Wilson's interval."""
    from scipy.stats import binomtest

    if not len(flags):
        return Estimate(np.nan, np.nan, np.nan, 0)
    found = binomtest(int(flags.sum()), len(flags)).proportion_ci(0.95, method="wilson")
    return Estimate(float(flags.mean()), float(found.low), float(found.high), len(flags))


def _mean(values: Float64) -> Estimate:
    """A mean with Student's interval; of a single row there is none."""
    from scipy.stats import t

    count = len(values)
    if count < 2:
        return Estimate(float(values[0]) if count else np.nan, np.nan, np.nan, count)
    middle = float(values.mean())
    reach = float(t.ppf(0.975, count - 1) * values.std(ddof=1) / count**0.5)
    return Estimate(middle, middle - reach, middle + reach, count)


def _chance(member: Rows, answers: Float64, truth: npt.NDArray[np.generic], outcome: int | None) -> float:
    """The p-value of equal rates of the outcome (chi-squared), or of equal mean errors (Welch's test, of all pairs, Bonferroni)."""
    if outcome is not None:
        return _equal_rates(member, answers.argmax(axis=1) == outcome)
    return _equal_errors([(answers - truth.astype(np.float64))[member == g] for g in np.unique(member)])


def _equal_rates(member: Rows, said: Flags) -> float:
    from scipy.stats import chi2_contingency

    groups = np.unique(member)
    counts = np.array([[np.sum(said & (member == g)), np.sum(~said & (member == g))] for g in groups])
    if len(groups) < 2 or not counts.sum(axis=0).all():
        return float("nan")
    found = chi2_contingency(counts, correction=False)
    # Below, the test is not to be trusted (Cochran 1954).
    return float(found.pvalue) if found.expected_freq.min() >= 5 else float("nan")


def _equal_errors(errors: list[Float64]) -> float:
    from scipy.stats import ttest_ind

    sound = [each for each in errors if len(each) >= 2]
    pairs = [(one, other) for i, one in enumerate(sound) for other in sound[:i]]
    found = [float(ttest_ind(one, other, equal_var=False).pvalue) for one, other in pairs]
    return min(1.0, min(found) * len(found)) if found and not np.isnan(found).any() else float("nan")


def _sentence(table: Table, column: str, groups: Sequence[Group], outcome: int | None, chance: float) -> str:
    """The largest difference and what may be said of it, no more."""
    if len(groups) < 2:
        return f"All rows looked at have the same {column}, so there is nothing to compare."
    measured = [(group, group.positive if group.positive is not None else group.error) for group in groups]
    known = [(group, found) for group, found in measured if found is not None and found.count]
    (high, most), (low, least) = max(known, key=lambda pair: pair[1].value), min(known, key=lambda pair: pair[1].value)
    if outcome is None:
        said = f"On average the prediction is off by {most.value:+,.3g} for {column} {high.name} and by {least.value:+,.3g} for {low.name}."
    else:
        label = table.classes[outcome]
        shares = (
            f"{most.value:.0%} of the rows with {column} {high.name} and to {least.value:.0%} of those with {low.name}"
        )
        said = f"The model says {label} to {shares}."
    return f"{said} {_weighed(chance)}"


def _weighed(chance: float) -> str:
    if np.isnan(chance):
        return "There are too few rows to tell this from chance."
    if chance >= CHANCE:
        return "A difference of this size can well be chance."
    differ = "the groups may differ in what the decision rightly rests on"
    return f"That is hardly chance. Whether it is unfair, these numbers cannot say: {differ}."


def _notes(groups: Sequence[Group]) -> tuple[str, ...]:
    small = [f"{group.name} ({group.count})" for group in groups if group.count < FEW]
    return (f"Fewer than {FEW} rows, so the numbers say little: {', '.join(small)}.",) if small else ()
