"""What a method that explains one row is (`RowMethod`), what it is given (`RowRequest`) and what comes out (`Contributions`).

A method file declares its record and a `run` of a few lines; what all of them share is here and in `local.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from xai_core.arrays import Float64
from xai_core.engine.jobs import Job
from xai_core.params import Param, Value
from xai_core.results import Check
from xai_core.tabular.data.row_encoder import RowEncoder

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel
    from xai_core.tabular.row.lime import Surrogate

THOUSANDTH = 1e-3


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each feature of one row did to the model's answer. Positive raised the explained number, negative lowered it.

    Where a method promises a sum, `base` and all `values` add up to `score`; its check says how well they do.
    """

    method: str
    features: tuple[str, ...]
    conditions: tuple[str, ...]
    """What the value of each feature speaks about: "petal width ≤ 0.30", or the row's own "petal width = 0.20"."""
    values: Float64
    """(features,), in `unit`; read-only."""
    base: float
    """What the method starts from, in `unit`: the mean answer of the rows it compares with, or the surrogate's constant."""
    score: float
    """The model's answer to this row, in `unit`."""
    unit: str
    """"probability", or the name of the target that is predicted."""
    outcome: int | None
    """Index of the explained class; None for a number."""
    params: Mapping[str, Value]
    seed: int
    checks: tuple[Check, ...] = ()
    details: Mapping[str, float] = field(default_factory=dict)
    """Numbers the method reports about itself."""

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        for name in ("params", "details"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def order(self) -> np.ndarray:
        """Places of the features, the strongest first, (features,)."""
        return np.argsort(-np.abs(self.values), kind="stable")


@dataclass
class RawRow:
    """A method's own numbers, before they are checked and made a result."""

    values: Float64
    base: float
    conditions: tuple[str, ...] | None = None
    """None for the row's own values."""
    checks: tuple[Check, ...] = ()
    details: dict[str, float] = field(default_factory=dict)


@dataclass(eq=False)
class RowRequest:
    """One call's private world: the row, what it is compared with, and its own random generator."""

    model: TabularModel
    row: pd.DataFrame
    outcome: int | None
    params: Mapping[str, Value]
    rng: np.random.Generator
    job: Job[object]

    @cached_property
    def codes(self) -> RowEncoder:
        return RowEncoder.of(self.model.table)

    @cached_property
    def start(self) -> Float64:
        """The row in numbers, (features,)."""
        return self.codes.encode_row(self.row)

    @cached_property
    def trained_on(self) -> Float64:
        """The rows the model learned from, in numbers, (N, features)."""
        return self.codes.encode(self.model.table.take(self.model.train_rows))

    @cached_property
    def score(self) -> float:
        """The explained number of the row itself. A method that asked for it among others says so by setting it."""
        return float(self.answer(self.row)[0])

    @property
    def smallest(self) -> float:
        """The smallest change of the explained number worth speaking of: a thousandth of a probability, or of the target's spread."""
        table = self.model.table
        return THOUSANDTH * (1.0 if table.task == "classification" else float(np.std(table.target)))

    def answer(self, frame: pd.DataFrame) -> Float64:
        """The explained number of each row of a frame, (N,)."""
        return self.model.score(frame, self.outcome)

    def scores(self, matrix: Float64) -> Float64:
        """The explained number of each coded row of (N, features), (N,); counted, and stopped on request."""
        return self.codes.scores(self.answer, matrix, self.job)

    def background(self, count: int) -> Float64:
        """Up to so many different rows the model learned from, in numbers, drawn with the request's seed."""
        known = self.model.train_rows
        drawn = self.rng.choice(len(known), min(count, len(known)), replace=False)
        return self.codes.encode(self.model.table.take(known[np.sort(drawn)]))

    def number(self, name: str) -> float:
        return float(self.params[name])

    def integer(self, name: str) -> int:
        return int(self.params[name])

    def choice(self, name: str) -> str:
        return str(self.params[name])


@dataclass(frozen=True, kw_only=True)
class RowMethod:
    """One method: words for the page, its parameters and its `run`."""

    name: str
    title: str
    """In plain words, for the page."""
    technical: str
    """The name in the literature."""
    question: str
    sentence: str
    """How to read it, in one sentence."""
    caution: str
    """What it cannot tell, in one sentence."""
    paper: str
    run: Callable[[RowRequest], RawRow]
    params: tuple[Param, ...] = ()
    additive: bool = False
    """True if base and values must add up to the score."""
    random: bool = True
    """True if the numbers depend on the seed."""
    fit_widths: Callable[[RowRequest], tuple[Surrogate, ...]] | None = None
    """How its answer changes with what counts as near to the row; None where nothing has to be near."""
    refusal: Callable[[TabularModel], str | None] = lambda _model: None
    """Why the method cannot be used on this model; None where it can."""
