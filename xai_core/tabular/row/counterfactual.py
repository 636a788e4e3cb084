"""Counterfactuals of a row: small changes after which the model gives the target answer, as sentences.

Wachter et al. 2017, arXiv:1711.00399; several unlike ones after Mothilal et al. 2020, arXiv:1905.07697. The search is
our own, in `counterfactual_search`, and not dice-ml (0.12, July 2025): its random search sets, and its genetic search
draws from, the generators of Python and NumPy that all threads share, so that sessions would disturb each other; it
cannot be stopped or report its progress; and it needs xgboost, lightgbm and raiutils, which nothing else here does.
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
from xai_core.formatting import number, percent
from xai_core.params import check_seed
from xai_core.tabular.data.cell_format import format_cell_pair
from xai_core.tabular.data.row_encoder import RowEncoder
from xai_core.tabular.row.counterfactual_search import BUDGET, Search, Space
from xai_core.tabular.row.directions import Direction, Limits, describe_directions

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel

# Index of a class, or (lowest, highest) value of a regression.
TargetOutcome = int | tuple[float, float]
Cell = str | float | None
MAX_COUNT = 20
CAUTION = "This says what the model would answer to another row, not what would happen if somebody's life changed."


@dataclass(frozen=True, eq=False)
class Change:
    """One changed row that reaches the target; the model has been asked."""

    row: pd.DataFrame
    """One row, such as the table's own."""
    changed: Mapping[str, tuple[Cell, Cell]]
    """Feature to (old, new), as the table holds them; None is a missing cell."""
    score: float
    """The probability of the target class, or the value."""
    distance: float
    """Sum over the changed features: a number in parts of the middle nine tenths of its values, at most 1; else 1."""
    sentence: str


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """Changes of one row, few features first; `note` says why there are none."""

    changes: tuple[Change, ...]
    note: str
    evaluations: int
    """Rows that the model was asked about."""


@dataclass(frozen=True)
class Goal:
    """The answer that the model is to give."""

    model: TabularModel
    target: TargetOutcome

    @classmethod
    def of(cls, model: TabularModel, target: TargetOutcome) -> Goal:
        """Check a target. Raises InvalidParam with what is allowed."""
        if model.table.task == "classification":
            if isinstance(target, tuple):
                raise InvalidParam(f"The wanted outcome must be a class number. Got {str(target)[:60]!r}.")
            return cls(model, model.table.outcome_index(target) or 0)
        if (
            not isinstance(target, tuple)
            or len(target) != 2
            or any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in target)
        ):
            allowed = "a pair of numbers, lowest and highest"
            raise InvalidParam(f"The wanted outcome must be {allowed}. Got {str(target)[:60]!r}.")
        low, high = float(target[0]), float(target[1])
        if isnan(low) or isnan(high) or low > high or (not isfinite(low) and not isfinite(high)):
            raise InvalidParam(f"The wanted range must go from a lower to a higher number. Got {low:g} to {high:g}.")
        return cls(model, (low, high))

    def shortfall(self, predictions: Float64) -> Float64:
        """Return the gap of predictions (N, …) to the target, (N,): 0 where it is reached."""
        if isinstance(self.target, tuple):
            low, high = self.target
            return np.maximum(low - predictions, 0) + np.maximum(predictions - high, 0)
        others = np.delete(predictions, self.target, axis=1).max(axis=1)
        # A tie is not enough, unless it is first.
        behind: Float64 = np.maximum(others - predictions[:, self.target], np.finfo(np.float64).tiny)
        return np.where(predictions.argmax(axis=1) == self.target, 0.0, behind)

    def score(self, prediction: Float64) -> float:
        """Return the probability of the target class, or the value, of one prediction."""
        return float(prediction if isinstance(self.target, tuple) else prediction[self.target])

    @property
    def words(self) -> str:
        """The target in words: "approved", "at least 200", "a number between 100 and 150"."""
        if not isinstance(self.target, tuple):
            return self.model.table.classes[self.target]
        low, high = self.target
        if isfinite(low) and isfinite(high):
            return f"a number between {low:,g} and {high:,g}"
        return f"at least {low:,g}" if isfinite(low) else f"at most {high:,g}"

    def describe_answer(self, score: float) -> str:
        """Return the model's answer to a row that reaches the target, in words."""
        if isinstance(self.target, tuple):
            return f"{number(score)} for {self.model.table.target_name}"
        return f"{self.words} (probability {percent(score)})"


def counterfactuals(
    model: TabularModel,
    row: pd.DataFrame,
    target: TargetOutcome,
    *,
    locked: Collection[str] = (),
    directions: Mapping[str, Direction] | None = None,
    count: int = 5,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> Counterfactuals:
    """Find up to `count` different small changes of one row after which the model answers `target`.

    Only values within the ranges of the table are proposed, and whole numbers stay whole. `directions` says of a
    feature that it is "locked", only goes "up" or "down", or only changes to a value of a range (lowest, highest), None
    for an open end; keeping its own value is always allowed. `locked` is short for directions "locked".

    Raises: InvalidParam (also a direction that cannot be kept), InvalidTable (not one row, or no value of a column),
    UnknownName (a column), Cancelled.

    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import TabularModel, table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]}), [1.0, 3.0, 5.0, 7.0])
    >>> model = TabularModel.of_estimator(LinearRegression().fit(table.frame, table.target), table)
    >>> counterfactuals(model, table.take([0]), (4.5, 6.0)).changes[0].changed
    {'a': (0.0, 2.0)}
    """
    goal, codes, job = Goal.of(model, target), RowEncoder.of(model.table), job or Job()
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_COUNT:
        allowed = f"a whole number from 1 to {MAX_COUNT}"
        raise InvalidParam(f"The number of changes must be {allowed}. Got {str(count)[:60]!r}.")
    start, directions = codes.encode_row(row), {**(directions or {}), **dict.fromkeys(locked, "locked")}
    limits = Limits.of(codes.columns, start, directions)

    def measure_shortfall(rows: Float64) -> Float64:
        # The search may need more than it announced.
        job.expect(max(job.total, job.done + len(rows)))
        return goal.shortfall(codes.scores(model.predict, rows, job))

    job.expect(2 * BUDGET)
    # The row itself may reach the target already.
    if measure_shortfall(start[None])[0] == 0:
        return Counterfactuals((), f"The model already says {goal.words} for this row, so nothing has to change.", 1)
    if limits.locked.all():
        return Counterfactuals((), "Every feature is locked, so nothing may change. Unlock at least one.", 1)
    space = Space.of(codes.columns, start, codes.encode(model.table.take(model.train_rows)), limits)
    search = Search(space, measure_shortfall, np.random.default_rng(check_seed(seed)))
    rows = search.run(count)
    predictions = model.predict(codes.decode(rows)) if len(rows) else np.zeros(0)
    # The rows that are shown are asked about once more.
    reached = [index for index in range(len(rows)) if goal.shortfall(predictions[[index]])[0] == 0]
    changes = tuple(_build_change(goal, codes, space, rows[index], predictions[index]) for index in reached)
    job.expect(job.done)
    note = (
        "" if changes else _describe_failure(goal, search.evaluations, describe_directions(codes.columns, directions))
    )
    return Counterfactuals(changes, note, search.evaluations)


def _build_change(goal: Goal, codes: RowEncoder, space: Space, row: Float64, prediction: Float64) -> Change:
    features = np.flatnonzero(space.find_changes(row[None])[0]).tolist()
    cells = {j: (codes.decode_cell(j, space.start[j]), codes.decode_cell(j, row[j])) for j in features}
    score = goal.score(prediction)
    clauses = []
    for j, (old, new) in cells.items():
        before, after = format_cell_pair(codes.columns[j], old, new)
        clauses.append(f"{codes.names[j]} were {after} instead of {before}")
    condition = clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"
    return Change(
        row=codes.decode(row[None]),
        changed={codes.names[j]: pair for j, pair in cells.items()},
        score=score,
        distance=float(space.distance(row[None])[0]),
        sentence=f"If {condition}, the model would say {goal.describe_answer(score)}.",
    )


def _describe_failure(goal: Goal, evaluations: int, rules: str) -> str:
    advice = "Allow more changes or ask for something nearer." if rules else "It may have no such answer near this row."
    searched = f"{evaluations:,} rows within the values of this table were tried{f', with {rules}' if rules else ''}"
    return f"No change was found after which the model says {goal.words}: {searched}. {advice}"
