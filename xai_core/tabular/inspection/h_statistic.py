"""The H-statistic (Friedman & Popescu, Annals of Applied Statistics 2008): interaction of two features, or of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.arrays import Float64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.tabular.inspection.rows import sample_rows, select_rows
from xai_core.tabular.inspection.scoring import average_scores, predict_scores
from xai_core.tabular.models.table_model import TabularModel, resolve_model

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

# A variance below this share of the squared scores is rounding: there is no effect that could be shared.
ROUNDING = 1e-12


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
    """Return H of two features, or of `a` with all others: 0 for a sum of effects, about 1 for pure interaction.

    With two: the root of the share of their joint partial dependence's variance that the two single ones do not
    explain. With one: the same of the whole score. `sample`² rows are scored: the partial dependence at the values of
    all rows of a sample; noise makes small values of H a little too large. 0 where neither feature moves the score.

    Raises: UnknownName, InvalidParam, Cancelled.

    >>> import pandas as pd
    >>> from xai_core.tabular import table_from
    >>> from sklearn.linear_model import LinearRegression
    >>> frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 3.0, 2.0]})
    >>> table = table_from(frame, [1.0, 1.0, 5.0, 5.0])
    >>> model = LinearRegression().fit(table.frame, table.target)
    >>> round(interaction_strength(model, "a", "b", table=table), 6)
    0.0
    """
    model, table = resolve_model(model, table)
    table.check_feature(a)
    if isinstance(sample, bool) or not 10 <= sample <= 1_000:
        raise InvalidParam(f"The sample must have from 10 to 1,000 rows. Got {sample!r}.")
    frame = table.take(sample_rows(select_rows(table, rows), sample, seed))
    index, job = table.outcome_index(outcome), job or Job()
    # Each partial dependence scores the whole sample at each of its rows.
    job.expect((3 if b is not None else 2) * len(frame) ** 2)
    if b is None:
        # Compare the whole score with the feature's effect and that of all others together.
        others = [name for name in frame.columns if name != a]
        single = [_partial_dependence(model, frame, names, index, job) for names in ([a], others) if names]
        return _compute_h(predict_scores(model, frame, index, job), single)
    pair = table.check_pair((a, b))
    single = [_partial_dependence(model, frame, [name], index, job) for name in pair]
    return _compute_h(_partial_dependence(model, frame, list(pair), index, job), single)


def _partial_dependence(
    model: TabularModel, frame: pd.DataFrame, features: list[str], outcome: int | None, job: Job[Any]
) -> Float64:
    """Return the partial dependence on these features together at each row's own values, (n,), over the same rows."""
    # Equal combinations are scored once.
    groups = frame.groupby(features, dropna=False, sort=False).ngroup().to_numpy()
    _, first, combination = np.unique(groups, return_index=True, return_inverse=True)
    distinct = frame.iloc[first]
    variants = {name: distinct[name].to_numpy() for name in features}
    average, _ = average_scores(model, frame, variants, outcome, job)
    return average[combination]


def _compute_h(joint: Float64, single: list[Float64]) -> float:
    """Return the root of the share of the joint effect's variance that the single effects do not explain."""
    whole = joint - joint.mean()
    # Interaction: the joint effect less the single ones, all centred.
    rest = whole - sum(effect - effect.mean() for effect in single)
    variance = float(whole @ whole)
    if variance <= ROUNDING * float(joint @ joint):
        return 0.0
    return float(np.sqrt(rest @ rest / variance))
