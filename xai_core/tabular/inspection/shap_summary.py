"""Shapley values of many rows at once (Lundberg & Lee 2017, arXiv:1705.07874): which features move the score, which way, and how far.

Tree models are explained by shap's TreeExplainer (Lundberg et al. 2020), in the unit in which the trees add up: log-odds for boosted
trees, the probability for forests. Its values count only if they add up to what the model itself says; else, and for all other models,
`_shapley` plays the game with the score itself. shap's own model-agnostic explainers draw from NumPy's global generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.tabular.data.row_encoder import RowEncoder
from xai_core.tabular.inspection.coalitions import Mixing
from xai_core.tabular.inspection.grid import rows_asked, sampled
from xai_core.tabular.inspection.shapley import MOST_BACKGROUND, background_size, evaluations, shares
from xai_core.tabular.models.table_model import TabularModel, resolve_model

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

MOST_ROWS = 5_000
TREE_BATCH = 100
TOLERANCE = 1e-6
"""Largest gap between a tree explanation's sum and the model's own number, as a share of the largest such number."""


@dataclass(frozen=True, eq=False)
class ShapSummary:
    """What each feature contributed to the score of each of n rows; every row's values and `base` add up to its score."""

    values: Float64
    """(n, F) signed, in `unit`: positive raised the row's score."""
    base: float
    """The expected score, where every row starts."""
    scores: Float64
    """(n,) what is explained, in `unit`."""
    features: tuple[str, ...]
    data: pd.DataFrame
    """(n, F) the rows' own values."""
    rows: Int64
    """(n,) their numbers in the table."""
    outcome: str
    """What is explained: "probability of yes", "log-odds of yes", or the target's name."""
    unit: str
    """"probability", "log-odds" or the target's name."""
    method: str
    notes: tuple[str, ...] = ()

    @property
    def importance(self) -> Float64:
        """(F,) mean size of a feature's contribution."""
        found: Float64 = np.abs(self.values).mean(axis=0)
        return found

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """(F,) places of the features, the strongest first."""
        return np.argsort(-self.importance, kind="stable")


LOG_ODDS = "log-odds"
_LOG_ODDS = "Boosted trees add up in log-odds: 0 is an even chance, and 1 more makes the odds 2.7 times as high."


class _Found(NamedTuple):
    values: Float64
    base: float
    scores: Float64
    outcome: str
    unit: str
    method: str
    notes: tuple[str, ...]


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
    """Contributions of all features to the score of `rows` rows, (n, F): so many drawn from the table, or the given row numbers.

    `background` rows the model learned from stand for "not known" where no TreeExplainer fits. A feature that became several columns
    gets their sum. Raises InvalidParam, Cancelled, and NotApplicable for more features than can be explained without trees.
    """
    model, table = resolve_model(model, table)
    many = isinstance(rows, (int, np.integer))
    if many and not 1 <= rows <= MOST_ROWS:
        raise InvalidParam(f"The number of rows must be from 1 to {MOST_ROWS:,}. Got {rows!r}.")
    if isinstance(background, bool) or not 2 <= background <= MOST_BACKGROUND:
        raise InvalidParam(f"The background must have from 2 to {MOST_BACKGROUND} rows. Got {background!r}.")
    chosen = sampled(rows_asked(table, None), int(rows), seed) if many else rows_asked(table, rows)
    frame = table.take(chosen)
    job = job or Job()
    found = _by_trees(model, table, frame, outcome, job) if model.tree_based else None
    found = found or _by_game(model, table, frame, outcome, background, seed, job)
    return ShapSummary(features=table.features, data=frame, rows=chosen, **found._asdict())


def _by_trees(
    model: TabularModel, table: Table, frame: pd.DataFrame, outcome: int | None, job: Job[Any]
) -> _Found | None:
    """TreeExplainer's values, or None where it cannot explain this model or its values do not add up to the model's own numbers."""
    trees = model.last_step
    order, index = model.class_order, table.outcome_index(outcome)
    place = order.index(index) if index in order else None
    try:
        seen, _, owners = model.prepare(frame)
    except NotApplicable:  # somebody's own pipeline
        return None
    if place is None and index is not None:  # a class that the trees never met
        return None
    values, base = _tree_values(trees, seen, place, job)
    rows = model.inputs(frame) if trees is model.estimator else seen
    own = _own_numbers(trees, rows, place)
    if np.abs(values.sum(axis=1) + base - own).max() > TOLERANCE * max(1.0, float(np.abs(own).max())):
        return None
    places = {name: number for number, name in enumerate(table.features)}
    summed = np.zeros((len(frame), len(places)))
    for column, owner in enumerate(owners):
        summed[:, places[owner]] += values[:, column]
    words, unit = table.outcome_words(outcome), _unit(table)
    if hasattr(trees, "decision_function"):
        return _Found(summed, base, own, words.replace(unit, LOG_ODDS, 1), LOG_ODDS, "TreeExplainer", (_LOG_ODDS,))
    return _Found(summed, base, own, words, unit, "TreeExplainer", ())


def _tree_values(trees: Any, seen: Float64, place: int | None, job: Job[Any]) -> tuple[Float64, float]:
    """(n, columns) contributions to the trees' own sum for this class, and the sum's expectation."""
    import shap

    explainer = shap.TreeExplainer(trees, feature_perturbation="tree_path_dependent")
    job.expect(len(seen))
    parts = []
    for start in range(0, len(seen), TREE_BATCH):
        part = seen[start : start + TREE_BATCH]
        parts.append(np.asarray(explainer.shap_values(part, check_additivity=False), dtype=np.float64))
        job.tick(len(part))
    values, base = np.concatenate(parts), np.asarray(explainer.expected_value, dtype=np.float64).ravel()
    if values.ndim == 3:
        return values[:, :, place or 0], float(base[place or 0])
    sign = -1.0 if place == 0 else 1.0  # of two classes the second one's is given
    return sign * values, sign * float(base[0])


def _own_numbers(trees: Any, rows: Any, place: int | None) -> Float64:
    """(n,) what the trees themselves say, in the unit in which they add up."""
    if place is None:
        return np.asarray(trees.predict(rows), dtype=np.float64)
    if not hasattr(trees, "decision_function"):
        shares: Float64 = np.asarray(trees.predict_proba(rows), dtype=np.float64)[:, place]
        return shares
    margin = np.asarray(trees.decision_function(rows), dtype=np.float64)
    if margin.ndim == 2:
        return margin[:, place]
    return -margin if place == 0 else margin


def _by_game(
    model: TabularModel,
    table: Table,
    frame: pd.DataFrame,
    outcome: int | None,
    background: int,
    seed: int,
    job: Job[Any],
) -> _Found:
    """Shapley values of the score itself, from rows mixed with rows the model learned from."""
    codes, index = RowEncoder.of(table), table.outcome_index(outcome)
    size = background_size(len(frame), len(table.columns), background)
    base = table.take(sampled(model.train_rows, size, seed))
    job.expect(evaluations(len(frame), len(table.columns), len(base)))
    mixing = Mixing.of(model, codes, np.concatenate([codes.encode(frame), codes.encode(base)]), index, job)
    rows, base_rows = np.split(mixing.rows, [len(frame)])
    scores, starts = np.split(mixing.scores(mixing.rows), [len(frame)])
    values = shares(mixing, rows, base_rows, scores, starts, np.random.default_rng(seed))
    note = f"Compared with {len(base_rows)} rows the model learned from, drawn at random."
    return _Found(
        values, float(starts.mean()), scores, table.outcome_words(outcome), _unit(table), "permutations", (note,)
    )


def _unit(table: Table) -> str:
    return table.target_name if table.task == "regression" else "probability"
