"""A trained table model (`TabularModel`) and how one is trained: seeded, cross-validated, with progress and cancel between folds."""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, InvalidTable, NotApplicable
from xai_core.params import Value, check_seed, resolve
from xai_core.tabular.data.builtin import Table
from xai_core.tabular.models import families  # noqa: F401  # registers the models
from xai_core.tabular.models.estimator import PreparedScore
from xai_core.tabular.models.preprocessing import (
    MODEL,
    PREPARE,
    Prepared,
    filled_notes,
    is_preparation,
    preparation,
    prepared,
)
from xai_core.tabular.models.spec import TABULAR_MODELS, TabularModelSpec

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from torch import nn

__all__ = ["TABULAR_MODELS", "TabularModel", "TabularModelSpec", "train"]

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
FOLDS = 5
MOST_CLASSES = 50
FEWEST_ROWS = 20
"""Rows a model learns from at least."""


@dataclass(frozen=True, eq=False)
class TabularModel:
    """A fitted scikit-learn estimator with the table it belongs to. `estimator` takes frames like `table.frame`; nobody fits it again."""

    name: str
    title: str
    table: Table
    estimator: Any
    params: Mapping[str, Value]
    seed: int
    train_rows: Rows
    """Numbers of the table's rows it learnt from."""
    test_rows: Rows
    """Numbers of the rows held out, which it has never seen."""
    cross_validation: tuple[float, ...]
    """Accuracy or R² of each fold of the training rows; empty for an own model."""
    glass_box: bool
    tree_based: bool
    differentiable: bool
    id: str
    """Hash of the table, the name, the parameters and the seed."""
    class_order: tuple[int, ...] = ()
    """The class that each column of the estimator's probabilities is about; () for regression."""
    notes: tuple[str, ...] = ()
    """What a visitor should know: rows left out, empty cells filled."""

    def predict(self, frame: pd.DataFrame) -> Doubles:
        """Classification: probabilities, (N, classes) in the order of `table.classes`. Regression: values, (N,)."""
        return self._told(self.estimator, frame)

    def _told(self, step: Any, rows: Any) -> Doubles:
        """What the estimator says, or its last step of rows that are prepared."""
        if self.table.task == "regression":
            values: Doubles = np.asarray(step.predict(rows), dtype=np.float64)
            return values
        found = np.asarray(step.predict_proba(rows), dtype=np.float64)
        probabilities = np.zeros((len(rows), len(self.table.classes)))
        probabilities[:, self.class_order] = found  # a class it never met has none
        return probabilities

    def score(self, frame: pd.DataFrame, outcome: int | None = None) -> Doubles:
        """What is explained, (N,): the probability of class `outcome` (None: the last class, so class 1 of two), or the value."""
        return self._explained(self.predict(frame), outcome)

    def _explained(self, said: Doubles, outcome: int | None) -> Doubles:
        return said if self.table.task == "regression" else said[:, self.outcome(outcome)]

    @property
    def prepared_score(self) -> PreparedScore | None:
        """`score` for rows as `transformed` has them, where each of its outputs is made from one feature alone; else None.

        Preparing takes milliseconds whatever the number of rows, so rows that differ in few features are best mixed from prepared ones.
        """
        if not is_preparation(self.estimator):
            return None
        return lambda values, outcome: self._explained(self._told(self.last_step, values), outcome)

    def outcome(self, outcome: int | None = None) -> int:
        """The class index meant. Raises InvalidParam with what is allowed."""
        last = len(self.table.classes) - 1
        try:
            index = last if outcome is None else -1 if isinstance(outcome, bool) else operator.index(outcome)
        except TypeError:
            index = -1
        if self.table.task == "classification" and not 0 <= index <= last:
            raise InvalidParam(f"The outcome must be a class number from 0 to {last}. Got {str(outcome)[:60]!r}.")
        return index

    def transformed(self, frame: pd.DataFrame) -> Prepared:
        """What the last step sees: values (N, outputs), their names and the feature each was made from.

        Raises NotApplicable where the model reads the table's own columns and some of them are texts, or is somebody's own pipeline.
        """
        if is_preparation(self.estimator):
            return prepared(self.estimator, frame)
        if hasattr(self.estimator, "steps") or any(column.kind == "category" for column in self.table.columns):
            raise NotApplicable(f"{self.title} has no columns of numbers of its own that could be looked at.")
        names = tuple(column.name for column in self.table.columns)
        return Prepared(frame.to_numpy(dtype=np.float64), names, names)

    @property
    def last_step(self) -> Any:
        """The model behind the preparation: what takes `transformed(frame).values`."""
        return self.estimator[-1] if hasattr(self.estimator, "steps") else self.estimator

    @property
    def module(self) -> nn.Module:
        """The torch network, in eval mode: float32 rows (N, outputs) of `transformed` to logits (N, classes) or values (N, 1).

        Raises NotApplicable for a model that is no torch network.
        """
        if not self.differentiable:
            raise NotApplicable(
                f"{self.title} has no gradients. Train the PyTorch network to use methods that need them."
            )
        module: nn.Module = self.last_step.module_
        return module


def model_id(table: Table, name: str, params: Mapping[str, Value], seed: int) -> str:
    """The id that a model of this table, kind, checked parameters and seed has or will have."""
    text = json.dumps([table.sha256, name, dict(params), seed])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def train(
    table: Table,
    name: str = "gradient_boosting",
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> TabularModel:
    """Learn from three quarters of the table; the rest is held out. `job` counts the folds and can stop between them.

    Raises UnknownName, InvalidParam, InvalidTable (too few rows of a class, a table the model cannot learn from), Cancelled.
    """
    spec = TABULAR_MODELS.get(name)
    chosen = resolve(spec.params, params, 0)
    seed = check_seed(seed)
    train_rows, test_rows = table.split(seed)
    used = _at_most(train_rows, spec.max_rows, seed)
    folds = _folds(table, used, seed)
    job = job or Job()
    job.expect(len(folds) + 1)
    scores = []
    with _in_words(spec):
        for learnt, asked in folds:
            scores.append(_score(_fitted(spec, table, chosen, seed, learnt), table, asked))
            job.tick(1)
        estimator = _fitted(spec, table, chosen, seed, used)
    job.tick(1)
    return TabularModel(
        name=spec.name,
        title=spec.title,
        table=table,
        estimator=estimator,
        params=MappingProxyType(chosen),
        seed=seed,
        train_rows=used,
        test_rows=test_rows,
        cross_validation=tuple(scores),
        glass_box=spec.glass_box,
        tree_based=spec.tree_based,
        differentiable=spec.differentiable,
        id=model_id(table, spec.name, chosen, seed),
        class_order=tuple(int(index) for index in getattr(estimator, "classes_", ())),
        notes=(*_left_out(train_rows, used), *_unsettled(spec, estimator), *filled_notes(table, spec.filled)),
    )


def _at_most(rows: Rows, most: int, seed: int) -> Rows:
    """The rows, or a drawn part of them in their order."""
    if len(rows) <= most:
        return rows
    drawn: Rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return drawn


def _left_out(rows: Rows, used: Rows) -> tuple[str, ...]:
    if len(used) == len(rows):
        return ()
    return (f"It learnt from {len(used):,} rows drawn out of {len(rows):,}: with more it would take too long.",)


def _unsettled(spec: TabularModelSpec, estimator: Pipeline) -> tuple[str, ...]:
    last = getattr(estimator[-1], "regressor_", estimator[-1])  # behind the scaling of the target
    rounds = getattr(last, "n_iter_", None) if spec.converges else None
    if rounds is None or np.max(rounds) < last.max_iter:
        return ()
    return (
        f"It was stopped after {last.max_iter:,} rounds of learning, before it had settled. With more rounds it may become better.",
    )


def _folds(table: Table, rows: Rows, seed: int) -> list[tuple[Rows, Rows]]:
    """Row numbers to learn from and to ask about, five times where each class has enough rows. Raises InvalidTable."""
    from sklearn.model_selection import KFold, StratifiedKFold

    if len(rows) < FEWEST_ROWS:
        raise InvalidTable(
            f"There are {len(rows)} rows to learn from; at least {FEWEST_ROWS} are needed. Use a longer table."
        )
    if table.task == "regression":
        splits = KFold(FOLDS, shuffle=True, random_state=seed).split(rows)
    else:
        rarest = _rarest(table, rows)
        splits = StratifiedKFold(min(FOLDS, rarest), shuffle=True, random_state=seed).split(rows, table.target[rows])
    return [(rows[learnt], rows[asked]) for learnt, asked in splits]


def _rarest(table: Table, rows: Rows) -> int:
    """Rows of the rarest class. Raises InvalidTable where there are too many classes or too few rows of one."""
    if len(table.classes) > MOST_CLASSES:
        raise InvalidTable(
            f"The target {table.target_name!r} has {len(table.classes):,} different outcomes; at most {MOST_CLASSES} can be learnt. "
            "Choose another target."
        )
    counts = np.bincount(table.target[rows], minlength=len(table.classes))
    if counts.min() < 2:
        label = table.classes[int(counts.argmin())]
        raise InvalidTable(
            f"The outcome {label!r} has too few rows to learn from ({counts.min()}); at least 2 are needed. "
            "Leave its rows out of the file or choose another target."
        )
    return int(counts.min())


def _fitted(spec: TabularModelSpec, table: Table, params: Mapping[str, Value], seed: int, rows: Rows) -> Pipeline:
    from sklearn.pipeline import Pipeline

    prepare = preparation(table, scaled=spec.scaled, filled=spec.filled) if spec.prepared else "passthrough"
    return Pipeline([(PREPARE, prepare), (MODEL, spec.build(table, params, seed))]).fit(
        table.take(rows), table.target[rows]
    )


@contextmanager
def _in_words(spec: TabularModelSpec) -> Iterator[None]:
    """What scikit-learn refuses (numbers too large, more neighbours than rows) as a sentence."""
    try:
        yield
    except ValueError as error:
        reason = str(error).splitlines()[0][:200].rstrip(".")
        raise InvalidTable(
            f"{spec.title} cannot learn from this table: {reason}. Try another model, setting or choice of features."
        ) from error


def _score(estimator: Pipeline, table: Table, rows: Rows) -> float:
    """Accuracy or R² on these rows."""
    return float(estimator.score(table.take(rows), table.target[rows]))
