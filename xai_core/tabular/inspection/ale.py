"""Accumulated local effects: how a feature moves the score where its data are (Apley & Zhu, JRSS-B 2020, arXiv:1612.08468).

The feature's range is cut into parts of equally many rows. Each row is moved to the two ends of its own part only, so the model is never
asked about a combination far from the data; the mean differences of the parts are added up and centred, so that the average over the
data is 0. Unlike partial dependence it stays right where features go together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.tabular.inspection.ale_bins import edges_of, no_cell_around, part_of, second_differences, together
from xai_core.tabular.inspection.association import extrapolation_share
from xai_core.tabular.inspection.category_order import natural_order
from xai_core.tabular.inspection.effect import Effect, Effect2D
from xai_core.tabular.inspection.grid import Distribution, distribution_of, is_category, rows_asked, values_of
from xai_core.tabular.inspection.scoring import scores_of
from xai_core.tabular.models.table_model import TabularModel, resolve_model

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

MOST_BINS = 200
FEW_ROWS = 5
Whole = npt.NDArray[np.int64]


def accumulated_local_effects(
    model: Any,
    feature: str,
    *,
    table: Table | None = None,
    bins: int = 40,
    rows: Any = None,
    outcome: int | None = None,
    job: Job[Any] | None = None,
) -> Effect:
    """Difference to the average score along a feature, (G,) at the edges of at most `bins` parts, or one a category.

    Categories are put in the order in which their rows resemble each other in the other features, and each row is moved to the
    neighbouring categories. Int64 without a value are left out. Raises UnknownName, InvalidParam, NotApplicable, Cancelled.
    """
    model, table = resolve_model(model, table)
    table.check_feature(feature)
    chosen = rows_asked(table, rows)
    cells = table.take(chosen).dropna(subset=[feature])
    spread = distribution_of(table, feature, chosen)
    index = table.outcome_index(outcome)
    along = _over_categories if is_category(table, feature) else _over_numbers
    grid, average, notes = along(model, table, cells, feature, _bins(bins), index, job or Job())
    return Effect(
        feature=feature,
        outcome=table.outcome_words(outcome),
        method="accumulated local effects",
        grid=grid,
        average=average,
        individual=None,
        rows=chosen[:0],
        distribution=_in_order(spread, grid),
        empty=np.zeros(len(grid), dtype=bool),
        notes=notes,
    )


def accumulated_local_effects_2d(
    model: Any,
    features: tuple[str, str],
    *,
    table: Table | None = None,
    bins: int = 20,
    rows: Any = None,
    outcome: int | None = None,
    job: Job[Any] | None = None,
) -> Effect2D:
    """What two numeric features do to the score together, beyond what each does alone, (A, B) at the edges of the parts.

    It is 0 everywhere for features that do not interact. Parts of both that hold no row get the local effect of the nearest part that
    does, and are marked empty. Raises as `accumulated_local_effects` does, and NotApplicable for a category.
    """
    model, table = resolve_model(model, table)
    pair = table.check_pair(features)
    for name in pair:
        if is_category(table, name):
            raise NotApplicable(f"Accumulated local effects of two features need numbers; {name!r} holds categories.")
    chosen = rows_asked(table, rows)
    cells = table.take(chosen).dropna(subset=list(pair))
    edges = tuple(edges_of(values_of(table, name, chosen), _bins(bins)) for name in pair)
    second, counts = second_differences(
        model, cells, pair, (edges[0], edges[1]), table.outcome_index(outcome), job or Job()
    )
    share = extrapolation_share(table, *pair)
    return Effect2D(
        features=pair,
        outcome=table.outcome_words(outcome),
        method="accumulated local effects",
        grids=(edges[0], edges[1]),
        average=together(second, counts),
        empty=no_cell_around(counts),
        extrapolation_share=share,
        notes=(f"{(counts == 0).mean():.0%} of the cells hold no row; there the nearest cell's effect is used.",)
        if not counts.all()
        else (),
    )


def _bins(bins: int) -> int:
    if isinstance(bins, bool) or not 1 <= bins <= MOST_BINS:
        raise InvalidParam(f"The number of parts (bins) must be from 1 to {MOST_BINS}. Got {bins!r}.")
    return int(bins)


def _over_numbers(
    model: TabularModel,
    _table: Table,
    cells: pd.DataFrame,
    feature: str,
    bins: int,
    outcome: int | None,
    job: Job[Any],
) -> tuple[Float64, Float64, tuple[str, ...]]:
    values = cells[feature].to_numpy(dtype=np.float64)
    edges = edges_of(values, bins)
    part = part_of(edges, values)
    job.expect(2 * len(cells))
    low, high = (scores_of(model, cells.assign(**{feature: edges[part + end]}), outcome, job) for end in (0, 1))
    counts = np.bincount(part, minlength=len(edges) - 1)
    steps = np.bincount(part, weights=high - low, minlength=len(counts)) / np.maximum(counts, 1)
    summed = np.concatenate([[0.0], np.cumsum(steps)])
    middle = (summed[:-1] + summed[1:]) / 2
    return edges, summed - middle @ counts / counts.sum(), _thin_note(counts)


def _thin_note(counts: Whole) -> tuple[str, ...]:
    if counts.min() >= FEW_ROWS:
        return ()
    return (f"Some parts hold fewer than {FEW_ROWS} rows, so the curve is uncertain there: choose fewer parts.",)


def _over_categories(
    model: TabularModel,
    table: Table,
    cells: pd.DataFrame,
    feature: str,
    _parts: int,
    outcome: int | None,
    job: Job[Any],
) -> tuple[npt.NDArray[Any], Float64, tuple[str, ...]]:
    names = natural_order(table, cells, feature)
    if len(names) < 2:
        raise NotApplicable(f"The column {feature!r} has the same value in all these rows, so nothing can be moved.")
    place = _places(names, cells[feature].to_numpy(dtype=object))
    up, down = place < len(names) - 1, place > 0
    job.expect(int(len(cells) + up.sum() + down.sum()))
    own = scores_of(model, cells, outcome, job)
    above = scores_of(model, cells[up].assign(**{feature: names[place[up] + 1]}), outcome, job) - own[up]
    below = own[down] - scores_of(model, cells[down].assign(**{feature: names[place[down] - 1]}), outcome, job)
    step = np.concatenate([place[up], place[down] - 1])
    steps = np.bincount(step, weights=np.concatenate([above, below])) / np.bincount(step)
    summed = np.concatenate([[0.0], np.cumsum(steps)])
    counts = np.bincount(place, minlength=len(names))
    note = "Categories stand in the order in which their rows resemble each other."
    return names, summed - summed @ counts / counts.sum(), (note,) if len(names) > 2 else ()


def _places(names: npt.NDArray[Any], values: npt.NDArray[Any]) -> Whole:
    known = {name: place for place, name in enumerate(names)}
    return np.array([known[value] for value in values], dtype=np.int64)


def _in_order(spread: Distribution, grid: npt.NDArray[Any]) -> Distribution:
    """The bars of categories in the order of the grid."""
    if grid.dtype != object:
        return spread
    order = _places(spread.edges, grid)
    return Distribution(spread.edges[order], spread.counts[order])
