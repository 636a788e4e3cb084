"""A trained table model (`TabularModel`) and how one is trained: seeded, cross-validated, with progress and cancel between folds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.arrays import Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidTable
from xai_core.params import Value, check_seed, resolve
from xai_core.tabular.data.table import Table
from xai_core.tabular.models import families  # noqa: F401  # registers the models
from xai_core.tabular.models.preprocessing import (
    MODEL,
    PREPARE,
    filled_notes,
    preparation,
)
from xai_core.tabular.models.spec import TABULAR_MODELS, TabularModelSpec
from xai_core.tabular.models.table_model import TabularModel

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["TABULAR_MODELS", "model_id", "train"]

FOLDS = 5
MOST_CLASSES = 50
FEWEST_ROWS = 20
"""Int64 a model learns from at least."""


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
