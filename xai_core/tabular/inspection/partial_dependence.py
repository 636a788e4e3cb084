"""How one or two features move the model's score: partial dependence (Friedman 2001) and individual lines (Goldstein et al. 2015).

Partial dependence puts the same value into every row and averages the scores: PD(v) = mean over rows of f(v, the row's other values).
It equals scikit-learn's `partial_dependence(method="brute")`. An individual line is one row's score along the grid. Both ask the model
about rows that may not exist where features go together: see `measure_extrapolation`, and accumulated local effects, which do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.tabular.inspection.association import (
    SMALLEST_SHARE,
    Extrapolation,
    extrapolation_share,
    measure_extrapolation,
)
from xai_core.tabular.inspection.effect import Effect, Effect2D
from xai_core.tabular.inspection.grid import distribution_of, empty_at, grid_of, rows_asked, sampled, values_of
from xai_core.tabular.inspection.scoring import variant_scores
from xai_core.tabular.inspection.variants import Variants, variant_count
from xai_core.tabular.models.table_model import TabularModel, resolve_model

if TYPE_CHECKING:
    from xai_core.tabular.data.table import Table

__all__ = [
    "Effect",
    "Effect2D",
    "Extrapolation",
    "partial_dependence",
    "partial_dependence_2d",
    "measure_extrapolation",
]

Kind = Literal["both", "average", "individual"]


def partial_dependence(
    model: Any,
    feature: str,
    *,
    table: Table | None = None,
    grid: int = 50,
    kind: Kind = "both",
    sample: int | None = None,
    rows: Any = None,
    seed: int = 0,
    outcome: int | None = None,
    job: Job[Any] | None = None,
) -> Effect:
    """Average score at up to `grid` values of a feature, (G,), and the lines of `sample` rows (all if None), (n, G).

    The average is over all `rows` (default: the whole table) whatever the sample. `model` is one trained here or a fitted scikit-learn
    estimator. Raises UnknownName, InvalidParam, NotApplicable for a column without values, Cancelled.
    """
    if kind not in get_args(Kind):
        raise InvalidParam(f"The kind must be one of {', '.join(get_args(Kind))}. Got {str(kind)[:60]!r}.")
    model, table = resolve_model(model, table)
    table.check_feature(feature)
    chosen = rows_asked(table, rows)
    points, notes = grid_of(table, feature, grid, chosen)
    shown = sampled(chosen, sample, seed) if kind != "average" else chosen[:0]
    average, lines = _averaged(
        model, table, {feature: points}, chosen, shown, table.outcome_index(outcome), job or Job()
    )
    return Effect(
        feature=feature,
        outcome=table.outcome_words(outcome),
        method="partial dependence",
        grid=points,
        average=average,
        individual=None if kind == "average" else lines,
        rows=shown,
        distribution=distribution_of(table, feature, chosen),
        empty=empty_at(points, values_of(table, feature, chosen)),
        notes=(*notes, *_sampled_note(shown, chosen, kind), *measure_extrapolation(table, feature).notes),
    )


def partial_dependence_2d(
    model: Any,
    features: tuple[str, str],
    *,
    table: Table | None = None,
    grid: int = 20,
    rows: Any = None,
    outcome: int | None = None,
    job: Job[Any] | None = None,
) -> Effect2D:
    """Average score at up to `grid` × `grid` pairs of values, (A, B). Raises as `partial_dependence` does."""
    model, table = resolve_model(model, table)
    pair = table.check_pair(features)
    chosen = rows_asked(table, rows)
    (first, notes_a), (second, notes_b) = (grid_of(table, name, grid, chosen) for name in pair)
    variants = {pair[0]: np.repeat(first, len(second)), pair[1]: np.tile(second, len(first))}
    average, _ = _averaged(model, table, variants, chosen, chosen[:0], table.outcome_index(outcome), job or Job())
    share = extrapolation_share(table, *pair)
    return Effect2D(
        features=pair,
        outcome=table.outcome_words(outcome),
        method="partial dependence",
        grids=(first, second),
        average=average.reshape(len(first), len(second)),
        empty=_empty_pairs(table, pair, first, second, chosen),
        extrapolation_share=share,
        notes=(*notes_a, *notes_b, *_share_note(share)),
    )


def _averaged(
    model: TabularModel,
    table: Table,
    variants: Variants,
    chosen: Int64,
    shown: Int64,
    outcome: int | None,
    job: Job[Any],
) -> tuple[Float64, Float64]:
    """(K,) averages over the chosen rows and (n, K) scores of the shown ones. Never holds all rows' scores at once unless shown."""
    size = variant_count(variants)
    job.expect(len(chosen) * size)
    total, lines = np.zeros(size), np.empty((len(shown), size))
    for part, found in variant_scores(model, table.take(chosen), variants, outcome, job):
        total += found.sum(axis=0)
        here = chosen[part]
        wanted = np.isin(shown, here)
        lines[wanted] = found[_places(here, shown[wanted])]
    return total / len(chosen), lines


def _places(rows: Int64, wanted: Int64) -> npt.NDArray[np.intp]:
    """Where the wanted row numbers stand among the rows, which need not be in order."""
    order = np.argsort(rows, kind="stable")
    return order[np.searchsorted(rows, wanted, sorter=order)]


def _empty_pairs(
    table: Table, pair: tuple[str, str], first: npt.NDArray[Any], second: npt.NDArray[Any], rows: Int64
) -> npt.NDArray[np.bool_]:
    """(A, B) True where no row lies within one step of both values."""
    cells = table.frame[list(pair)].iloc[rows].dropna()
    near = [
        _near(grid, cells[name].to_numpy(dtype=grid.dtype)) for name, grid in zip(pair, (first, second), strict=True)
    ]
    counts = near[0].T.astype(np.float32) @ near[1].astype(np.float32)
    found: npt.NDArray[np.bool_] = counts == 0
    return found


def _near(grid: npt.NDArray[Any], values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """(N, G) whether a row's value lies within one step of the grid point."""
    if grid.dtype == object or len(grid) < 2:
        same: npt.NDArray[np.bool_] = values[:, None] == grid
        return same
    reach = (grid[-1] - grid[0]) / (len(grid) - 1)
    close: npt.NDArray[np.bool_] = np.abs(values[:, None] - grid) <= reach
    return close


def _sampled_note(shown: Int64, chosen: Int64, kind: Kind) -> tuple[str, ...]:
    if kind == "average" or len(shown) == len(chosen):
        return ()
    return (f"{len(shown):,} lines of {len(chosen):,} rows are kept, drawn at random; the average uses all rows.",)


def _share_note(share: float) -> tuple[str, ...]:
    return (f"{share:.0%} of these combinations do not exist in your data.",) if share >= SMALLEST_SHARE else ()
