"""Shapley values of many rows at once (Lundberg & Lee 2017, arXiv:1705.07874).

Tree models are explained by shap's TreeExplainer (Lundberg et al. 2020), in the unit in which the trees add up:
log-odds for boosted trees, the probability for forests. Its values count only if they add up to the model's own number;
else, and for all other models, `shapley` computes them for the score itself. shap's own model-agnostic explainers draw
from NumPy's global generator.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.tabular.data.row_encoder import RowEncoder
from xai_core.tabular.inspection.coalitions import CoalitionSampler
from xai_core.tabular.inspection.rows import sample_rows, select_rows
from xai_core.tabular.inspection.shapley import (
    MAX_BACKGROUND,
    count_evaluations,
    estimate_contributions,
    limit_background,
)
from xai_core.tabular.models.table_model import TabularModel, resolve_model

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

MAX_ROWS = 5_000
TREE_BATCH = 100
# Largest gap between a tree explanation's sum and the model's own number, as a share of the largest such number.
TOLERANCE = 1e-6
# Errors of shap's TreeExplainer for trees that it cannot read, InvalidModelError among them.
UNREADABLE = (AssertionError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)
LOG_ODDS = "log-odds"
LOG_ODDS_NOTE = "Boosted trees add up in log-odds: 0 is an even chance, and 1 more makes the odds 2.7 times as high."


@dataclass(frozen=True, eq=False)
class ShapSummary:
    """Contributions of the features to the scores of n rows; every row's values and `base` add up to its score."""

    values: Float64
    """(n, F) signed, in `unit`: positive raised the row's score."""
    base: float
    """The expected score, from which every row starts."""
    scores: Float64
    """(n,) explained numbers, in `unit`."""
    features: tuple[str, ...]
    data: pd.DataFrame
    """(n, F) the rows' own values."""
    rows: Int64
    """(n,) their numbers in the table."""
    outcome: str
    """Words for the explained number: "probability of yes", "log-odds of yes", or the target's name."""
    unit: str
    """"probability", "log-odds" or the target's name."""
    method: str
    notes: tuple[str, ...] = ()

    @property
    def importance(self) -> Float64:
        """(F,) mean size of a feature's contribution."""
        sizes: Float64 = np.abs(self.values).mean(axis=0)
        return sizes

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """(F,) indices of the features, the strongest first."""
        return np.argsort(-self.importance, kind="stable")


def shap_summary(
    model: Any,
    *,
    table: Table | None = None,
    rows: int | Any = 200,
    outcome: int | None = None,
    background: int = 50,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> ShapSummary:
    """Return the contributions of all features to the scores of rows, (n, F).

    `rows` is the number of rows to draw from the table, or row numbers. `background` rows the model learned from stand
    for "not known" where no TreeExplainer fits. A feature that became several columns gets their sum.

    Raises: InvalidParam, NotApplicable (more features than can be explained without trees), Cancelled.

    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [0.0, 2.0, 1.0]}), [1.0, 6.0, 5.0])
    >>> model = LinearRegression().fit(table.frame, table.target)
    >>> shap_summary(model, table=table, rows=[0]).values.round(3).tolist()
    [[-1.0, -2.0]]
    """
    model, table = resolve_model(model, table)
    count = int(rows) if isinstance(rows, (int, np.integer)) else None
    if count is not None and not 1 <= count <= MAX_ROWS:
        raise InvalidParam(f"The number of rows must be from 1 to {MAX_ROWS:,}. Got {rows!r}.")
    if isinstance(background, bool) or not 2 <= background <= MAX_BACKGROUND:
        raise InvalidParam(f"The background must have from 2 to {MAX_BACKGROUND} rows. Got {background!r}.")
    selected = select_rows(table, rows) if count is None else sample_rows(select_rows(table, None), count, seed)
    frame, job = table.take(selected), job or Job()
    summary = _explain_trees(model, table, frame, outcome, job) if model.tree_based else None
    return summary or _explain_score(model, table, frame, outcome, background, seed, job)


def _explain_trees(
    model: TabularModel, table: Table, frame: pd.DataFrame, outcome: int | None, job: Job[Any]
) -> ShapSummary | None:
    """Return TreeExplainer's values, or None where it fails or its values miss the model's own numbers."""
    trees = model.last_step
    order, index = model.class_order, table.outcome_index(outcome)
    column = order.index(index) if index in order else None
    try:
        prepared, _, owners = model.prepare(frame)
    # Somebody's own pipeline.
    except NotApplicable:
        return None
    # A class that the trees never met.
    if column is None and index is not None:
        return None
    try:
        values, base = _run_tree_explainer(trees, prepared, column, job)
        scores = _predict_margin(trees, model.inputs(frame) if trees is model.estimator else prepared, column)
    # shap knows neither boosting of several classes nor boosting that starts from another model.
    except UNREADABLE:
        return None
    # TreeExplainer does not know every model's link: its values must add up to the model's own.
    if np.abs(values.sum(axis=1) + base - scores).max() > TOLERANCE * max(1.0, float(np.abs(scores).max())):
        return None
    # Add up the columns made from one feature.
    positions = {name: position for position, name in enumerate(table.features)}
    summed = np.zeros((len(frame), len(positions)))
    for position, owner in enumerate(owners):
        summed[:, positions[owner]] += values[:, position]
    summary = _summarise(table, frame, summed, base, scores, outcome, "TreeExplainer")
    if not hasattr(trees, "decision_function"):
        return summary
    words = summary.outcome.replace(summary.unit, LOG_ODDS, 1)
    return replace(summary, outcome=words, unit=LOG_ODDS, notes=(LOG_ODDS_NOTE,))


def _run_tree_explainer(trees: Any, prepared: Float64, column: int | None, job: Job[Any]) -> tuple[Float64, float]:
    """Return contributions to the trees' own sum for this class, (n, columns), and the sum's expectation."""
    import shap

    # Path-dependent: needs no background and is exact for the trees.
    explainer = shap.TreeExplainer(trees, feature_perturbation="tree_path_dependent")
    job.expect(len(prepared))
    parts = []
    for start in range(0, len(prepared), TREE_BATCH):
        part = prepared[start : start + TREE_BATCH]
        parts.append(np.asarray(explainer.shap_values(part, check_additivity=False), dtype=np.float64))
        job.tick(len(part))
    values, base = np.concatenate(parts), np.asarray(explainer.expected_value, dtype=np.float64).ravel()
    if values.ndim == 3:
        return values[:, :, column or 0], float(base[column or 0])
    # Of two classes the second one's values are given.
    sign = -1.0 if column == 0 else 1.0
    return sign * values, sign * float(base[0])


def _predict_margin(trees: Any, rows: Any, column: int | None) -> Float64:
    """Return the trees' own numbers in the unit in which they add up, (n,)."""
    if column is None:
        return np.asarray(trees.predict(rows), dtype=np.float64)
    if not hasattr(trees, "decision_function"):
        probabilities: Float64 = np.asarray(trees.predict_proba(rows), dtype=np.float64)[:, column]
        return probabilities
    margin = np.asarray(trees.decision_function(rows), dtype=np.float64)
    if margin.ndim == 2:
        return margin[:, column]
    return -margin if column == 0 else margin


def _explain_score(
    model: TabularModel,
    table: Table,
    frame: pd.DataFrame,
    outcome: int | None,
    background: int,
    seed: int,
    job: Job[Any],
) -> ShapSummary:
    """Return Shapley values of the score itself, from rows mixed with rows the model learned from."""
    codes, features = RowEncoder.of(table), len(table.columns)
    size = limit_background(len(frame), features, background)
    background_frame = table.take(sample_rows(model.train_rows, size, seed))
    job.expect(count_evaluations(len(frame), features, len(background_frame)))
    coded = np.concatenate([codes.encode(frame), codes.encode(background_frame)])
    sampler = CoalitionSampler.of(model, codes, coded, table.outcome_index(outcome), job)
    rows, background_rows = np.split(sampler.rows, [len(frame)])
    scores, starts = np.split(sampler.scores(sampler.rows), [len(frame)])
    rng = np.random.default_rng(seed)
    values = estimate_contributions(sampler, rows, background_rows, scores, starts, rng)
    summary = _summarise(table, frame, values, float(starts.mean()), scores, outcome, "permutations")
    note = f"Compared with {len(background_rows)} rows the model learnt from, drawn at random."
    return replace(summary, notes=(note,))


def _summarise(
    table: Table, frame: pd.DataFrame, values: Float64, base: float, scores: Float64, outcome: int | None, method: str
) -> ShapSummary:
    return ShapSummary(
        values=values,
        base=base,
        scores=scores,
        features=table.features,
        data=frame,
        rows=frame.index.to_numpy(),
        outcome=table.outcome_words(outcome),
        unit=table.target_name if table.task == "regression" else "probability",
        method=method,
    )
