"""Shape functions of an explainable boosting machine (Nori et al. 2019): the term of each feature and of each pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.arrays import Float64

if TYPE_CHECKING:
    from xai_core.tabular.models.table_model import TabularModel


@dataclass(frozen=True, eq=False)
class Axis:
    """The steps of one feature: edges of a number, names of a category."""

    feature: str
    edges: Float64
    """(G + 1,) edges of a number, from the smallest observed value to the largest; empty for a category."""
    names: tuple[str, ...]
    """G names of a category; () for a number."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Term of one feature, step by step."""

    axis: Axis
    values: Float64
    """(G, outcomes), signed."""
    errors: Float64
    """One standard deviation over the repetitions, (G, outcomes)."""
    missing: Float64
    """Term of an empty cell, (outcomes,)."""
    importance: float
    """Mean size of the term over the training rows."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Term of two features together, beyond their own curves."""

    first: Axis
    second: Axis
    values: Float64
    """(G first, G second, outcomes), signed."""
    importance: float


@dataclass(frozen=True, eq=False)
class Shapes:
    """A sum of curves: intercept plus the terms of every curve and pair gives the log-odds or the target's value."""

    outcomes: tuple[str, ...]
    """Meaning of the last axis of values: class 1 of two, each class of more, or the regression's target."""
    intercept: Float64
    """(outcomes,)."""
    curves: tuple[Curve, ...]
    """One a feature, in the order of the table."""
    pairs: tuple[Pair, ...]
    unit: str
    """log-odds, or the target's own unit."""


def name_outcomes(model: TabularModel, count: int) -> tuple[str, ...]:
    """Return the names of `count` outputs: the target of a regression, class 1 of two, or all classes."""
    classes = tuple(model.table.classes[index] for index in model.class_order)
    if not classes:
        return (model.table.target_name,)
    return classes if count > 1 else classes[-1:]


def read_shapes(model: TabularModel) -> Shapes:
    """Return the curves and pairs of an explainable boosting machine."""
    machine = model.last_step
    intercept = np.atleast_1d(np.asarray(machine.intercept_, dtype=np.float64))
    importances = machine.term_importances()
    curves, pairs = [], []
    for term, features in enumerate(machine.term_features_):
        if len(features) == 1:
            curves.append(_read_curve(machine, term, features[0], float(importances[term])))
        elif len(features) == 2:
            pairs.append(_read_pair(machine, term, features, float(importances[term])))
    return Shapes(
        outcomes=name_outcomes(model, len(intercept)),
        intercept=intercept,
        curves=tuple(curves),
        pairs=tuple(pairs),
        unit="log-odds" if model.class_order else model.table.target_name,
    )


def _read_curve(machine: Any, term: int, feature: int, importance: float) -> Curve:
    axis, steps = _read_axis(machine, feature, 0)
    scores, errors = (_split_outcomes(table[term], 1) for table in (machine.term_scores_, machine.standard_deviations_))
    return Curve(axis, scores[steps], errors[steps], scores[0], importance)


def _read_pair(machine: Any, term: int, features: tuple[int, int], importance: float) -> Pair:
    (first, rows), (second, columns) = (_read_axis(machine, feature, 1) for feature in features)
    return Pair(first, second, _split_outcomes(machine.term_scores_[term], 2)[np.ix_(rows, columns)], importance)


def _read_axis(machine: Any, feature: int, detail: int) -> tuple[Axis, list[int]]:
    """Return the steps of a feature (detail 0 for curves, 1 for pairs) and their indices in the library's tables.

    There, 0 is an empty cell and the last one a category never seen.
    """
    bins = machine.bins_[feature]
    cuts = bins[min(detail, len(bins) - 1)]
    name = str(machine.feature_names_in_[feature])
    if isinstance(cuts, dict):
        return Axis(name, np.zeros(0), tuple(str(label) for label in cuts)), list(cuts.values())
    low, high = machine.feature_bounds_[feature]
    return Axis(name, np.concatenate([[low], cuts, [high]]), ()), list(range(1, len(cuts) + 2))


def _split_outcomes(table: Any, axes: int) -> Float64:
    """Return the table with an axis of outcomes at the end, also where the library has none for a single one."""
    values = np.asarray(table, dtype=np.float64)
    return values if values.ndim > axes else values[..., None]
