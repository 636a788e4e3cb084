"""Counterfactuals of a row: the smallest changes after which the model says what is wanted, as sentences.

Wachter et al. 2017, arXiv:1711.00399; several unlike ones after Mothilal et al. 2020, arXiv:1905.07697. The search is our own, in
`_search.py`, and not dice-ml (0.12, July 2025): its random search sets, and its genetic search draws from, the generators of Python and
NumPy that all threads share, so that visitors would disturb each other; it cannot be stopped or asked how far it is; and it needs
xgboost, lightgbm and raiutils, which nothing else here does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xai_core.arrays import Float64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.params import check_seed
from xai_core.tabular.data.cell_format import format_cell_pair
from xai_core.tabular.data.row_encoder import RowEncoder
from xai_core.tabular.row.counterfactual_search import BUDGET, Search, Space

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel

TargetOutcome = int | tuple[float, float]
Cell = str | float | None
MOST = 20
CAUTION = "This says what the model would answer to another row, not what would happen if somebody's life changed."


@dataclass(frozen=True, eq=False)
class Change:
    """One changed row that reaches what is wanted; the model has been asked."""

    row: pd.DataFrame
    """One row, such as the table's own."""
    changed: Mapping[str, tuple[Cell, Cell]]
    """Feature to (old, new), as the table holds them; None is a missing cell."""
    score: float
    """The probability of the wanted class, or the value."""
    distance: float
    """Sum over the changed features: numbers in parts of the middle nine tenths of their values, at most 1; categories 1."""
    sentence: str


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """Up to as many changes as asked for, few features first; `note` says why there are none."""

    changes: tuple[Change, ...]
    note: str
    evaluations: int
    """Rows the model was asked about."""


@dataclass(frozen=True)
class Goal:
    """What the model is to say."""

    model: TabularModel
    target: TargetOutcome

    def missing(self, answers: Float64) -> Float64:
        """How far answers of `model.predict` are from it, (N,): 0 where it is reached."""
        if isinstance(self.target, tuple):
            low, high = self.target
            return np.maximum(low - answers, 0) + np.maximum(answers - high, 0)
        others = np.delete(answers, self.target, axis=1).max(axis=1)
        # A tie is not enough, unless it is first.
        behind: Float64 = np.maximum(others - answers[:, self.target], np.finfo(np.float64).tiny)
        return np.where(answers.argmax(axis=1) == self.target, 0.0, behind)

    @property
    def words(self) -> str:
        """ "approved", "at least 200", "between 100 and 150"."""
        if not isinstance(self.target, tuple):
            return self.model.table.classes[self.target]
        low, high = self.target
        if isfinite(low) and isfinite(high):
            return f"a number between {low:,g} and {high:,g}"
        return f"at least {low:,g}" if isfinite(low) else f"at most {high:,g}"

    def answer(self, score: float) -> str:
        """What the model says to a row that reaches it."""
        if isinstance(self.target, tuple):
            return f"{score:,.4g} for {self.model.table.target_name}"
        return f"{self.words} (probability {score:.3g})"


def counterfactuals(
    model: TabularModel,
    row: pd.DataFrame,
    target: TargetOutcome,
    *,
    locked: Collection[str] = (),
    count: int = 5,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> Counterfactuals:
    """Up to `count` different small changes of one row after which the model says `wanted`: a class index, or (lowest, highest) value.

    Only values within the ranges seen in the table are proposed, whole numbers stay whole, `locked` features stay as they are.
    Raises InvalidParam, InvalidTable (not one row), UnknownName (a locked column), Cancelled.
    """
    goal, codes, job = _goal(model, target), RowEncoder.of(model.table), job or Job()
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
        raise InvalidParam(f"The number of changes must be a whole number from 1 to {MOST}. Got {str(count)[:60]!r}.")
    fixed = np.array(sorted({codes.column_index(name) for name in locked}), dtype=np.int64)
    start = codes.encode_row(row)

    def ask(rows: Float64) -> Float64:
        job.expect(max(job.total, job.done + len(rows)))
        return goal.missing(codes.scores(model.predict, rows, job))

    job.expect(2 * BUDGET)
    if ask(start[None])[0] == 0:
        return Counterfactuals((), f"The model already says {goal.words} for this row, so nothing has to change.", 1)
    if len(fixed) == len(codes.columns):
        return Counterfactuals((), "Every feature is locked, so nothing may change. Unlock at least one.", 1)
    search = Search(_space(model, codes, start, fixed), ask, np.random.default_rng(check_seed(seed)))
    found = search.run(count)
    answers = model.predict(codes.decode(found)) if len(found) else np.zeros(0)
    reached = [place for place in range(len(found)) if goal.missing(answers[[place]])[0] == 0]
    changes = tuple(_change(goal, codes, search.space, found[place], answers[place]) for place in reached)
    job.expect(job.done)
    return Counterfactuals(changes, "" if changes else _none(goal, search.evaluations, locked), search.evaluations)


def _goal(model: TabularModel, target: TargetOutcome) -> Goal:
    if model.table.task == "classification":
        if isinstance(target, tuple):
            raise InvalidParam(f"The wanted outcome must be a class number. Got {str(target)[:60]!r}.")
        return Goal(model, model.table.outcome_index(target) or 0)
    if (
        not isinstance(target, tuple)
        or len(target) != 2
        or any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in target)
    ):
        raise InvalidParam(
            f"The wanted outcome must be a pair of numbers, lowest and highest. Got {str(target)[:60]!r}."
        )
    low, high = float(target[0]), float(target[1])
    if isnan(low) or isnan(high) or low > high or (not isfinite(low) and not isfinite(high)):
        raise InvalidParam(f"The wanted range must go from a lower to a higher number. Got {low:g} to {high:g}.")
    return Goal(model, (low, high))


def _space(model: TabularModel, codes: RowEncoder, start: Float64, fixed: np.ndarray) -> Space:
    return Space.around(codes.columns, start, codes.encode(model.table.take(model.train_rows)), fixed)


def _change(goal: Goal, codes: RowEncoder, space: Space, found: Float64, answer: Float64) -> Change:
    places = np.flatnonzero(space.changed(found[None])[0]).tolist()
    cells = {j: (codes.decode_cell(j, space.start[j]), codes.decode_cell(j, found[j])) for j in places}
    score = float(answer if isinstance(goal.target, tuple) else answer[goal.target])
    changed = {codes.names[j]: pair for j, pair in cells.items()}
    distance = float(space.distance(found[None])[0])
    return Change(codes.decode(found[None]), changed, score, distance, _sentence(goal, codes, cells, score))


def _sentence(goal: Goal, codes: RowEncoder, cells: Mapping[int, tuple[Cell, Cell]], score: float) -> str:
    parts = []
    for place, (old, new) in cells.items():
        before, after = format_cell_pair(codes.columns[place], old, new)
        parts.append(f"{codes.names[place]} were {after} instead of {before}")
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"If {listed}, the model would say {goal.answer(score)}."


def _none(goal: Goal, evaluations: int, locked: Collection[str]) -> str:
    held = f" with {', '.join(locked)} locked" if locked else ""
    advice = "Unlock a feature or ask for something nearer." if locked else "It may have no such answer near this row."
    searched = f"{evaluations:,} rows within the values of this table were tried{held}"
    return f"No change was found after which the model says {goal.words}: {searched}. {advice}"
