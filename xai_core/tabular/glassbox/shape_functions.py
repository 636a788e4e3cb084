"""The curves of an explainable boosting machine (Nori et al. 2019): what each feature, and each pair, adds to the sum."""

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
    """G + 1 edges of a number, from the smallest value seen to the largest; empty for a category."""
    names: tuple[str, ...]
    """G names of a category; () for a number."""


@dataclass(frozen=True, eq=False)
class Curve:
    """What one feature adds, step by step."""

    axis: Axis
    values: Float64
    """(G, outcomes), signed."""
    errors: Float64
    """One standard deviation over the repetitions, (G, outcomes)."""
    missing: Float64
    """What an empty cell adds, (outcomes,)."""
    importance: float
    """Mean size of what it adds over the training rows."""


@dataclass(frozen=True, eq=False)
class Pair:
    """What two features add together, beyond their own curves."""

    first: Axis
    second: Axis
    values: Float64
    """(G first, G second, outcomes), signed."""
    importance: float


@dataclass(frozen=True, eq=False)
class Shapes:
    """A sum of curves: intercept plus what every curve and pair adds gives the log-odds or the target's value."""

    outcomes: tuple[str, ...]
    """What the last axis of values is about: class 1 of two, each class of more, or the regression's target."""
    intercept: Float64
    """(outcomes,)."""
    curves: tuple[Curve, ...]
    """One a feature, in the order of the table."""
    pairs: tuple[Pair, ...]
    unit: str
    """log-odds, or the target's own unit."""


def read_shapes(model: TabularModel) -> Shapes:
    """The curves as the library keeps them."""
    machine = model.last_step
    classes = [model.table.classes[index] for index in model.class_order]
    outcomes = (model.table.target_name,) if not classes else tuple(classes if len(classes) > 2 else classes[-1:])
    importances = machine.term_importances()
    terms = list(enumerate(machine.term_features_))
    return Shapes(
        outcomes=outcomes,
        intercept=np.atleast_1d(np.asarray(machine.intercept_, dtype=np.float64)),
        curves=tuple(
            _curve(machine, term, which[0], float(importances[term])) for term, which in terms if len(which) == 1
        ),
        pairs=tuple(_pair(machine, term, which, float(importances[term])) for term, which in terms if len(which) == 2),
        unit="log-odds" if classes else model.table.target_name,
    )


def _curve(machine: Any, term: int, feature: int, importance: float) -> Curve:
    axis, steps = _axis(machine, feature, 0)
    scores, errors = (_outcomes_last(table[term], 1) for table in (machine.term_scores_, machine.standard_deviations_))
    return Curve(axis, scores[steps], errors[steps], scores[0], importance)


def _pair(machine: Any, term: int, features: tuple[int, int], importance: float) -> Pair:
    (first, rows), (second, columns) = (_axis(machine, feature, 1) for feature in features)
    return Pair(first, second, _outcomes_last(machine.term_scores_[term], 2)[np.ix_(rows, columns)], importance)


def _axis(machine: Any, feature: int, detail: int) -> tuple[Axis, list[int]]:
    """The steps of a feature (detail 0 for curves, 1 for pairs) and where they lie in the library's tables.

    There, 0 is an empty cell and the last one a category never seen.
    """
    bins = machine.bins_[feature]
    cuts = bins[min(detail, len(bins) - 1)]
    name = str(machine.feature_names_in_[feature])
    if isinstance(cuts, dict):
        return Axis(name, np.zeros(0), tuple(str(label) for label in cuts)), list(cuts.values())
    low, high = machine.feature_bounds_[feature]
    return Axis(name, np.concatenate([[low], cuts, [high]]), ()), list(range(1, len(cuts) + 2))


def _outcomes_last(table: Any, axes: int) -> Float64:
    values = np.asarray(table, dtype=np.float64)
    return values if values.ndim > axes else values[..., None]
