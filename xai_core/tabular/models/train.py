"""A trained table model (`TabularModel`) and how one is trained: seeded, cross-validated, with progress and cancel between folds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xai_core.arrays import Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, InvalidTable, NotApplicable
from xai_core.params import Value, check_seed, resolve
from xai_core.tabular.data.builtin import Table
from xai_core.tabular.models import families  # noqa: F401  # registers the models
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

PreparedScore = Callable[[Float64, "int | None"], Float64]
"""Scores (N,) of an outcome from rows as the last step of a pipeline gets them, (N, outputs)."""
FOLDS = 5
MOST_CLASSES = 50
FEWEST_ROWS = 20
"""Int64 a model learns from at least."""


@dataclass(frozen=True, eq=False)
class TabularModel:
    """A fitted scikit-learn estimator with the table it belongs to. `estimator` takes frames like `table.frame`; nobody fits it again."""

    name: str
    title: str
    table: Table
    estimator: Any
    params: Mapping[str, Value]
    seed: int
    train_rows: Int64
    """Numbers of the table's rows it learnt from."""
    test_rows: Int64
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

    takes_frames: bool = True
    """False for a bare estimator that was fitted on arrays without column names."""

    @classmethod
    def of_estimator(cls, estimator: Any, table: Table) -> TabularModel:
        """Wrap a fitted scikit-learn estimator; the rows it learned from are not known, so all count as both.

        Raises:
            InvalidParam: `estimator` cannot predict.
        """
        from sklearn import ensemble, tree

        if not hasattr(estimator, "predict"):
            raise InvalidParam(
                f"The model must be trained here or be a fitted scikit-learn estimator. Got {type(estimator).__name__!r}."
            )
        boosted = (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor)
        forests = (ensemble.RandomForestClassifier, ensemble.RandomForestRegressor)
        every_row = np.arange(len(table))
        return cls(
            name="estimator",
            title=type(estimator).__name__,
            table=table,
            estimator=estimator,
            params=MappingProxyType({}),
            seed=0,
            train_rows=every_row,
            test_rows=every_row,
            cross_validation=(),
            glass_box=False,
            # Only without a pipeline around them are the columns the features.
            tree_based=isinstance(estimator, (*boosted, *forests, tree.BaseDecisionTree)),
            differentiable=False,
            id="",
            class_order=tuple(range(len(table.classes))),
            takes_frames=hasattr(estimator, "feature_names_in_"),
        )

    def inputs(self, frame: pd.DataFrame) -> Any:
        """Return the rows as the estimator was given them: with column names where it remembers some."""
        return frame if self.takes_frames else frame.to_numpy()

    def predict(self, frame: pd.DataFrame) -> Float64:
        """Return probabilities (N, classes) in the order of `table.classes`, or values (N,) of a regression."""
        return self._ask(self.estimator, self.inputs(frame))

    def _ask(self, step: Any, rows: Any) -> Float64:
        """Return the predictions of the estimator, or of its last step for prepared rows."""
        if self.table.task == "regression":
            values: Float64 = np.asarray(step.predict(rows), dtype=np.float64).ravel()
            return values
        probabilities = np.zeros((len(rows), len(self.table.classes)))
        # A class that the model never met has probability 0.
        probabilities[:, self.class_order] = np.asarray(step.predict_proba(rows), dtype=np.float64)
        return probabilities

    def score(self, frame: pd.DataFrame, outcome: int | None = None) -> Float64:
        """Return the explained number, (N,): the probability of class `outcome` (None: the last), or the value."""
        return self._select_outcome(self.predict(frame), outcome)

    def _select_outcome(self, predictions: Float64, outcome: int | None) -> Float64:
        index = self.table.outcome_index(outcome)
        return predictions if index is None else predictions[:, index]

    @property
    def prepared_score(self) -> PreparedScore | None:
        """`score` for rows as `transformed` has them, where each output is made from one feature alone; else None.

        Preparing takes milliseconds whatever the number of rows, so rows that differ in few features are best mixed
        from prepared ones.
        """
        if not is_preparation(self.estimator):
            return None
        return lambda values, outcome: self._select_outcome(self._ask(self.last_step, values), outcome)

    def transformed(self, frame: pd.DataFrame) -> Prepared:
        """Return the rows as the last step gets them: values (N, outputs), their names, the feature each was made from.

        Raises:
            NotApplicable: the model reads the table's own columns and some of them are texts, or is an own pipeline.
        """
        if is_preparation(self.estimator):
            return prepared(self.estimator, frame)
        if hasattr(self.estimator, "steps") or any(column.kind == "category" for column in self.table.columns):
            raise NotApplicable(f"{self.title} has no columns of numbers of its own that could be looked at.")
        names = tuple(column.name for column in self.table.columns)
        return Prepared(frame.to_numpy(dtype=np.float64), names, names)

    @property
    def last_step(self) -> Any:
        """The estimator behind the preparation, which takes `transformed(frame).values`."""
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


def resolve_model(model: Any, table: Table | None) -> tuple[TabularModel, Table]:
    """Return a model and the table to look at it through: its own unless another is given.

    Raises:
        InvalidParam: a bare estimator without a table, or something that cannot predict.
    """
    if isinstance(model, TabularModel):
        return model, table or model.table
    if table is None and hasattr(model, "predict"):
        raise InvalidParam("A bare estimator belongs to no table: say which with table=….")
    return TabularModel.of_estimator(model, table), table  # type: ignore[arg-type, return-value]


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


def _at_most(rows: Int64, most: int, seed: int) -> Int64:
    """The rows, or a drawn part of them in their order."""
    if len(rows) <= most:
        return rows
    drawn: Int64 = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return drawn


def _left_out(rows: Int64, used: Int64) -> tuple[str, ...]:
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


def _folds(table: Table, rows: Int64, seed: int) -> list[tuple[Int64, Int64]]:
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


def _rarest(table: Table, rows: Int64) -> int:
    """Int64 of the rarest class. Raises InvalidTable where there are too many classes or too few rows of one."""
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


def _fitted(spec: TabularModelSpec, table: Table, params: Mapping[str, Value], seed: int, rows: Int64) -> Pipeline:
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


def _score(estimator: Pipeline, table: Table, rows: Int64) -> float:
    """Accuracy or R² on these rows."""
    return float(estimator.score(table.take(rows), table.target[rows]))
