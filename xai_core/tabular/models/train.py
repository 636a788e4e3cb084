"""Train a table model: seeded, cross-validated, with progress and cancel between folds."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.arrays import Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidTable
from xai_core.params import Value, check_seed, resolve
from xai_core.tabular.data.grouping import split_folds
from xai_core.tabular.data.table import MAX_CLASSES, MIN_ROWS, Table
from xai_core.tabular.models import families  # noqa: F401  # registers the models
from xai_core.tabular.models.preprocessing import MODEL, PREPARE, build_preparation, missing_cell_notes
from xai_core.tabular.models.spec import TABULAR_MODELS, TabularModelSpec
from xai_core.tabular.models.table_model import TabularModel

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["TABULAR_MODELS", "model_id", "train"]

FOLDS = 5


def model_id(table: Table, name: str, params: Mapping[str, Value], seed: int) -> str:
    """Return the id of a model by its table, kind, checked parameters and seed."""
    text = json.dumps([table.sha256, name, dict(params), seed])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def train(
    table: Table,
    name: str = "gradient_boosting",
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> TabularModel:
    """Train a model on three quarters of the table; the rest is held out.

    `job` counts the folds and can be cancelled between them.

    Raises:
        UnknownName: no model of this name in TABULAR_MODELS.
        InvalidParam: a parameter or the seed is out of its range.
        InvalidTable: too few rows of a class, or a table the model cannot learn from.
        Cancelled: the job was cancelled.

    >>> from xai_core.tabular import load_table
    >>> train(load_table("loan"), "decision_tree", {"depth": 2}).params["depth"]
    2
    """
    spec = TABULAR_MODELS.get(name)
    values = resolve(spec.params, params, 0)
    seed = check_seed(seed)
    train_rows, test_rows = table.split(seed)
    sampled_rows = _sample_rows(train_rows, spec.max_rows, seed)
    folds = _split_folds(table, sampled_rows, seed)
    job = job or Job()
    job.expect(len(folds) + 1)
    scores, start = [], time.perf_counter()
    with _translate_refusals(spec):
        for fold_train, fold_test in folds:
            scores.append(_score(_fit(spec, table, values, seed, fold_train), table, fold_test))
            job.tick(1)
        estimator = _fit(spec, table, values, seed, sampled_rows)
    job.tick(1)
    return TabularModel(
        name=spec.name,
        title=spec.title,
        table=table,
        estimator=estimator,
        params=MappingProxyType(values),
        seed=seed,
        train_rows=sampled_rows,
        test_rows=test_rows,
        cross_validation=tuple(scores),
        glass_box=spec.glass_box,
        tree_based=spec.tree_based,
        differentiable=spec.differentiable,
        id=model_id(table, spec.name, values, seed),
        seconds=time.perf_counter() - start,
        class_order=tuple(int(index) for index in getattr(estimator, "classes_", ())),
        notes=(
            *_sampling_notes(train_rows, sampled_rows),
            *_convergence_notes(spec, estimator),
            *missing_cell_notes(table, spec.filled),
        ),
    )


def _sample_rows(rows: Int64, max_rows: int, seed: int) -> Int64:
    """Return the rows, or a random part of them in their order."""
    if len(rows) <= max_rows:
        return rows
    sampled: Int64 = np.sort(np.random.default_rng(seed).choice(rows, max_rows, replace=False))
    return sampled


def _sampling_notes(rows: Int64, sampled_rows: Int64) -> tuple[str, ...]:
    if len(sampled_rows) == len(rows):
        return ()
    return (f"It learnt from {len(sampled_rows):,} rows drawn out of {len(rows):,}: with more it would take too long.",)


def _convergence_notes(spec: TabularModelSpec, estimator: Pipeline) -> tuple[str, ...]:
    # The regressor of a scaled target lies one level deeper.
    last_step = getattr(estimator[-1], "regressor_", estimator[-1])
    rounds = getattr(last_step, "n_iter_", None) if spec.converges else None
    if rounds is None or np.max(rounds) < last_step.max_iter:
        return ()
    return (
        (
            f"It was stopped after {last_step.max_iter:,} rounds of learning, before it had settled. "
            "With more rounds it may become better."
        ),
    )


def _split_folds(table: Table, rows: Int64, seed: int) -> list[tuple[Int64, Int64]]:
    """Return row numbers to train on and to score, for five folds where each class has enough rows, or groups of rows.

    Raises:
        InvalidTable: too few rows.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    if len(rows) < MIN_ROWS:
        raise InvalidTable(
            f"There are {len(rows)} rows to learn from; at least {MIN_ROWS} are needed. Use a longer table."
        )
    labels = None if table.task == "regression" else table.target[rows]
    folds = FOLDS if labels is None else min(FOLDS, _count_rarest(table, rows))
    splits: Iterable[tuple[Int64, Int64]]
    if table.groups is not None:
        splits = split_folds(labels, table.groups[rows], folds, seed)
    elif labels is None:
        splits = KFold(folds, shuffle=True, random_state=seed).split(rows)
    else:
        splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(rows, labels)
    return [(rows[fold_train], rows[fold_test]) for fold_train, fold_test in splits]


def _count_rarest(table: Table, rows: Int64) -> int:
    """Return the number of rows of the rarest class.

    Raises:
        InvalidTable: too many classes, or too few rows of one.
    """
    if len(table.classes) > MAX_CLASSES:
        raise InvalidTable(
            f"The target {table.target_name!r} has {len(table.classes):,} different outcomes; "
            f"at most {MAX_CLASSES} can be learnt. Choose another target."
        )
    counts = np.bincount(table.target[rows], minlength=len(table.classes))
    if counts.min() < 2:
        label = table.classes[int(counts.argmin())]
        raise InvalidTable(
            f"The outcome {label!r} has too few rows to learn from ({counts.min()}); at least 2 are needed. "
            "Leave its rows out of the file or choose another target."
        )
    return int(counts.min())


def _fit(spec: TabularModelSpec, table: Table, params: Mapping[str, Value], seed: int, rows: Int64) -> Pipeline:
    from sklearn.pipeline import Pipeline

    preparation = build_preparation(table, scaled=spec.scaled, filled=spec.filled) if spec.prepared else "passthrough"
    estimator, arguments = spec.build(table, params, seed), {}
    if table.groups is not None and spec.keep_groups_together is not None:
        labels = None if table.task == "regression" else table.target[rows]
        arguments = spec.keep_groups_together(estimator, labels, table.groups[rows], seed)
    pipeline = Pipeline([(PREPARE, preparation), (MODEL, estimator)])
    options = {f"{MODEL}__{name}": value for name, value in arguments.items()}
    return pipeline.fit(table.take(rows), table.target[rows], **options)


@contextmanager
def _translate_refusals(spec: TabularModelSpec) -> Iterator[None]:
    """Turn what scikit-learn refuses (numbers too large, more neighbours than rows) into a sentence."""
    try:
        yield
    except ValueError as error:
        reason = str(error).splitlines()[0][:200].rstrip(".")
        raise InvalidTable(
            f"{spec.title} cannot learn from this table: {reason}. Try another model, setting or choice of features."
        ) from error


def _score(estimator: Pipeline, table: Table, rows: Int64) -> float:
    """Return accuracy or R² on these rows."""
    return float(estimator.score(table.take(rows), table.target[rows]))
