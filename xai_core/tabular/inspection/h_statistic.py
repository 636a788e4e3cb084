"""How much two features act together, or one with all others: the H-statistic (Friedman & Popescu, Annals of Applied Statistics 2008)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.tabular.inspection.grid import rows_asked, sampled
from xai_core.tabular.inspection.scoring import scores_of, variant_scores
from xai_core.tabular.models.table_model import TabularModel, resolve_model

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

NOTHING = 1e-12
"""A variance below this share of the squared scores is rounding: there is no effect that could be shared."""


def interaction_strength(
    model: Any,
    a: str,
    b: str | None = None,
    *,
    table: Table | None = None,
    sample: int = 100,
    rows: Any = None,
    seed: int = 0,
    outcome: int | None = None,
    job: Job[Any] | None = None,
) -> float:
    """H, from 0 (the effects simply add up) to about 1 (there is nothing but interaction), of two features or of `a` with all others.

    With two: the root of the share of their joint partial dependence's variance that the two single ones do not explain. With one: the
    same of the whole score. Over a sample of rows, at all of whose values the partial dependence is taken, so `sample`² rows are scored;
    noise makes small values of H a little too large. 0 where neither feature moves the score. Raises UnknownName, InvalidParam, Cancelled.
    """
    model, table = resolve_model(model, table)
    table.check_feature(a)
    if isinstance(sample, bool) or not 10 <= sample <= 1_000:
        raise InvalidParam(f"The sample must have from 10 to 1,000 rows. Got {sample!r}.")
    chosen = table.take(sampled(rows_asked(table, rows), sample, seed))
    index = table.outcome_index(outcome)
    job = job or Job()
    job.expect((3 if b is not None else 2) * len(chosen) ** 2)
    if b is None:
        return _with_all(model, chosen, a, index, job)
    pair = table.check_pair((a, b))
    alone = [_dependence(model, chosen, [name], index, job) for name in pair]
    return _share(_dependence(model, chosen, list(pair), index, job), alone)


def _with_all(model: TabularModel, rows: pd.DataFrame, feature: str, outcome: int | None, job: Job[Any]) -> float:
    others = [name for name in rows.columns if name != feature]
    alone = [_dependence(model, rows, names, outcome, job) for names in ([feature], others) if names]
    return _share(scores_of(model, rows, outcome, job), alone)


def _dependence(
    model: TabularModel, rows: pd.DataFrame, features: list[str], outcome: int | None, job: Job[Any]
) -> Float64:
    """(n,) partial dependence on these features together, at the values that each row has, over the same rows.

    Equal combinations are asked once, and of the features and the rest the fewer are set.
    """
    distinct, back = _distinct(rows, features)
    total = np.zeros(len(distinct))
    variants = {name: distinct[name].to_numpy() for name in features}
    for _, found in variant_scores(model, rows, variants, outcome, job):
        total += found.sum(axis=0)
    return (total / len(rows))[back]


def _distinct(rows: pd.DataFrame, features: list[str]) -> tuple[pd.DataFrame, npt.NDArray[np.intp]]:
    """The different combinations of these columns, and which of them each row has."""
    number = rows.groupby(features, dropna=False, sort=False).ngroup().to_numpy()
    _, first, back = np.unique(number, return_index=True, return_inverse=True)
    return rows.iloc[first], back


def _share(joint: Float64, alone: list[Float64]) -> float:
    whole = joint - joint.mean()
    rest = whole - sum(part - part.mean() for part in alone)
    size = float(whole @ whole)
    if size <= NOTHING * float(joint @ joint):
        return 0.0
    return float(np.sqrt(rest @ rest / size))
