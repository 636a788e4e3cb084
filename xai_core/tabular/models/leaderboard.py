"""All kinds of models trained on one table and compared by the parts of its rows that each did not learn from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xai_core.engine.jobs import Job
from xai_core.errors import XaiError
from xai_core.tabular.data.table import Table
from xai_core.tabular.models.spec import TABULAR_MODELS, TabularModelSpec
from xai_core.tabular.models.table_model import TabularModel

# Trains one kind of model with its defaults, or returns a kept one: from its name and the job.
Train = Callable[[str, Job[Any]], TabularModel]


@dataclass(frozen=True)
class LeaderboardEntry:
    """One kind of model, with the defaults of its parameters; NaN where it could not be trained."""

    name: str
    title: str
    score: float
    """Mean accuracy or R² over the parts held out in turn."""
    spread: float
    """Standard deviation of the score over these parts."""
    seconds: float
    """Time of training, all parts included."""
    glass_box: bool
    problem: str = ""
    """A sentence where it cannot learn from this table."""


@dataclass(frozen=True)
class Leaderboard:
    """Kinds of models, the best first, those that could not be trained last."""

    entries: tuple[LeaderboardEntry, ...]
    parts: int
    """Parts of the rows that were held out in turn; 0 if no model could be trained."""
    sentence: str
    """Name of the best, and whether its lead is more than chance may give."""


class _PartOfJob(Job[Any]):
    """The job of one of several models: counts as one step of the whole, and stops with it."""

    def __init__(self, whole: Job[Any]) -> None:
        super().__init__(whole.key)
        self._whole = whole

    def tick(self, evaluations: int = 0) -> None:
        """Count, and let the whole job stop. Raises Cancelled."""
        super().tick(evaluations)
        self._whole.tick(0)


def rank_models(table: Table, train: Train, job: Job[Any] | None = None) -> Leaderboard:
    """Train every kind of model on a table and rank them; `job` counts models and can be cancelled between the parts.

    Raises:
        Cancelled: the job was cancelled. Models trained before may be kept by `train`.
    """
    job = job or Job()
    specs = TABULAR_MODELS.specs()
    job.expect(len(specs))
    entries, parts = [], 0
    for spec in specs:
        try:
            model = train(spec.name, _PartOfJob(job))
        except XaiError as problem:
            # A stopped job is no fault of the model.
            job.tick(0)
            entries.append(
                LeaderboardEntry(spec.name, spec.title, math.nan, math.nan, math.nan, spec.glass_box, str(problem))
            )
        else:
            parts = len(model.cross_validation)
            entries.append(_build_entry(spec, model))
        job.tick(1)
    # Python's sort keeps the order of equal ones; NaN goes last.
    ranked = sorted(entries, key=lambda entry: math.inf if math.isnan(entry.score) else -entry.score)
    return Leaderboard(tuple(ranked), parts, _write_sentence(ranked, parts, table.task == "regression"))


def _build_entry(spec: TabularModelSpec, model: TabularModel) -> LeaderboardEntry:
    scores = np.array(model.cross_validation)
    spread = float(scores.std(ddof=1)) if len(scores) > 1 else 0.0
    return LeaderboardEntry(
        spec.name, spec.title, float(scores.mean()), spread, model.seconds or math.nan, spec.glass_box
    )


def _write_sentence(ranked: Sequence[LeaderboardEntry], parts: int, regression: bool) -> str:
    trained = [entry for entry in ranked if not entry.problem]
    if not trained:
        return "None of these models can learn from this table."
    first = trained[0]
    measure = "R²" if regression else "share of right answers"
    close = [entry.title for entry in trained[1:] if entry.score >= first.score - first.spread]
    begin = f"{first.title} has the best {measure} on the {parts} parts held out in turn"
    if not close:
        return f"{begin}, and by more than the parts differ among each other."
    others = f"{close[0]} is" if len(close) == 1 else f"{len(close)} others are"
    readable = next((entry.title for entry in trained if entry.glass_box and entry.title in close), "")
    advice = (
        f" {readable} is as good within that, and can be read as it is." if readable and not first.glass_box else ""
    )
    return f"{begin}, but {others} so close that chance may decide.{advice}"
