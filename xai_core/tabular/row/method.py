"""Records shared by the methods that explain one row: the method, its request and its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from xai_core.arrays import Float64
from xai_core.engine.jobs import Job
from xai_core.params import Param, ParamReader, Value
from xai_core.registry import Registry
from xai_core.results import Check
from xai_core.tabular.data.row_encoder import RowEncoder

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel

MIN_CHANGE = 1e-3


@dataclass(frozen=True, eq=False)
class Contributions:
    """Contributions of one row's features to the explained number: positive raised it, negative lowered it.

    Where a method promises a sum, `base` and all `values` add up to `score`; its check says how well they do.
    """

    method: str
    features: tuple[str, ...]
    conditions: tuple[str, ...]
    """The statement each value is about: "petal width ≤ 0.30", or the row's own "petal width = 0.20"."""
    values: Float64
    """(features,), in `unit`; read-only."""
    base: float
    """Start of the sum, in `unit`: the mean score of the rows it compares with, or the surrogate's constant."""
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
    def order(self) -> npt.NDArray[np.intp]:
        """(features,) indices of the features, the strongest first."""
        return np.argsort(-np.abs(self.values), kind="stable")


@dataclass
class RawContributions:
    """A method's own numbers, before they are checked and made a result."""

    values: Float64
    base: float
    conditions: tuple[str, ...] | None = None
    """None for the row's own values."""
    checks: tuple[Check, ...] = ()
    details: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Surrogate:
    """A weighted sum of conditions that answers like the model near the row, for one kernel width."""

    width: float
    """Number of conditions that a sample may break and still be near."""
    weights: Float64
    """(features,) change of the score when a condition holds."""
    constant: float
    r2: float
    """Share of the variance of the model's scores among near samples that the sum explains, at most 1."""
    effective_samples: float
    """Samples that hold, or that break, the condition known least, whichever are fewer."""


@dataclass(eq=False)
class RowRequest(ParamReader):
    """One call of one method: the row, the model, and its own random generator."""

    model: TabularModel
    row: pd.DataFrame
    outcome: int | None
    params: Mapping[str, Value]
    rng: np.random.Generator
    job: Job[Any]

    @cached_property
    def codes(self) -> RowEncoder:
        return RowEncoder.of(self.model.table)

    @cached_property
    def coded_row(self) -> Float64:
        """The row in numbers, (features,)."""
        return self.codes.encode_row(self.row)

    @cached_property
    def training_rows(self) -> Float64:
        """The rows the model learned from, in numbers, (N, features)."""
        return self.codes.encode(self.model.table.take(self.model.train_rows))

    @cached_property
    def score(self) -> float:
        """The explained number of the row itself; a method that computed it among others sets it."""
        return float(self.score_frame(self.row)[0])

    @property
    def min_change(self) -> float:
        """The smallest change of the score worth reporting: a thousandth of a probability or of the target's spread."""
        table = self.model.table
        return MIN_CHANGE * (1.0 if table.task == "classification" else float(np.std(table.target)))

    def score_frame(self, frame: pd.DataFrame) -> Float64:
        """Return the explained number of each row of a frame, (N,)."""
        return self.model.score(frame, self.outcome)

    def scores(self, matrix: Float64) -> Float64:
        """Return the explained number of each coded row of (N, features), (N,); counted, and can be stopped."""
        return self.codes.scores(self.score_frame, matrix, self.job)

    def draw_background(self, count: int) -> Float64:
        """Draw up to `count` different rows the model learned from, in numbers, (n, features)."""
        rows = self.model.train_rows
        chosen = self.rng.choice(len(rows), min(count, len(rows)), replace=False)
        return self.codes.encode(self.model.table.take(rows[np.sort(chosen)]))


@dataclass(frozen=True, kw_only=True)
class RowMethod:
    """One method: words for the page, its parameters and its `run`."""

    name: str
    title: str
    """In plain words, for the page."""
    technical: str
    """The name in the literature."""
    rank: int
    """Place in lists: methods that work with every model come first."""
    question: str
    sentence: str
    """Help to read it, in one sentence."""
    caution: str
    """Limits, in one sentence."""
    paper: str
    run: Callable[[RowRequest], RawContributions]
    params: tuple[Param, ...] = ()
    additive: bool = False
    """True if base and values must add up to the score."""
    random: bool = True
    """True if the numbers depend on the seed."""
    fit_widths: Callable[[RowRequest], tuple[Surrogate, ...]] | None = None
    """Surrogates by kernel width; None for a method without a kernel."""
    refusal: Callable[[TabularModel], str | None] = lambda _model: None
    """Reason why the method cannot be used on a model, or None."""

    @property
    def full_title(self) -> str:
        """Known name, then the plain one: "LIME · a simple stand-in nearby"."""
        return f"{self.technical} · {self.title[0].lower()}{self.title[1:]}"


TABULAR_METHODS: Registry[RowMethod] = Registry("method for one row", order=lambda spec: spec.rank)
