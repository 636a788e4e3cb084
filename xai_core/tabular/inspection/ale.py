"""Accumulated local effects (Apley & Zhu, JRSS-B 2020, arXiv:1612.08468) of one or two features.

The feature's range is cut into bins of equally many rows. Each row is moved to the two ends of its own bin only, so the
model is never asked about a combination far from the data; the mean differences of the bins are added up and centred,
so that the average over the data is 0. Unlike partial dependence it stays right where features go together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.formatting import percent
from xai_core.tabular.inspection.ale_bins import (
    accumulate,
    assign_bins,
    find_edges,
    find_empty_corners,
    second_differences,
)
from xai_core.tabular.inspection.association import extrapolation_share
from xai_core.tabular.inspection.category_order import similarity_order
from xai_core.tabular.inspection.effect import Effect, Effect2D
from xai_core.tabular.inspection.grid import Distribution, read_values
from xai_core.tabular.inspection.rows import select_rows
from xai_core.tabular.inspection.scoring import predict_scores
from xai_core.tabular.models.table_model import TabularModel, resolve_model

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

MAX_BINS = 200
FEW_ROWS = 5


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
    """Return the difference to the average score along a feature, (G,), at the edges of at most `bins` bins.

    A category has one value each; categories are put in the order in which their rows resemble each other in the other
    features, and each row is moved to the neighbouring categories. Rows without a value are left out.

    Raises: UnknownName, InvalidParam, NotApplicable (a column without two values), Cancelled.

    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0, 2.0]}), [0.0, 2.0, 4.0])
    >>> model = LinearRegression().fit(table.frame, table.target)
    >>> effect = accumulated_local_effects(model, "a", table=table)
    >>> effect.grid.tolist(), np.diff(effect.average).round(3).tolist()
    ([0.0, 1.0, 2.0], [2.0, 2.0])
    """
    model, table = resolve_model(model, table)
    table.check_feature(feature)
    selected = select_rows(table, rows)
    cells = table.take(selected).dropna(subset=[feature])
    distribution = Distribution.of(read_values(table, feature, selected))
    index, job = table.outcome_index(outcome), job or Job()
    bins = _check_bins(bins)
    if table.column(feature).kind == "category":
        order = similarity_order(table, cells, feature)
        average, notes = _accumulate_categories(model, cells, feature, order, index, job)
        # Their own order needs no word.
        notes = () if table.column(feature).ordered else notes
        grid, positions = order, _find_positions(distribution.edges, order)
        distribution = Distribution(distribution.edges[positions], distribution.counts[positions])
    else:
        grid = find_edges(cells[feature].to_numpy(dtype=np.float64), bins)
        average, notes = _accumulate_numbers(model, cells, feature, grid, index, job)
    return Effect(
        feature=feature,
        outcome=table.outcome_words(outcome),
        method="accumulated local effects",
        grid=grid,
        average=average,
        individual=None,
        rows=selected[:0],
        distribution=distribution,
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
    """Return the effect of two numeric features together, beyond that of each alone, (A, B) at the edges of the bins.

    It is 0 everywhere for features that do not interact. Cells that hold no row get the local effect of the nearest
    cell that does, and are marked empty. Raises as `accumulated_local_effects` does, and NotApplicable for a category.

    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [0.0, 2.0, 1.0]}), [1.0, 4.0, 4.0])
    >>> model = LinearRegression().fit(table.frame, table.target)
    >>> bool(abs(accumulated_local_effects_2d(model, ("a", "b"), table=table).average).max() < 1e-9)
    True
    """
    model, table = resolve_model(model, table)
    pair = table.check_pair(features)
    for name in pair:
        if table.column(name).kind == "category":
            raise NotApplicable(f"Accumulated local effects of two features need numbers; {name!r} holds categories.")
    selected = select_rows(table, rows)
    cells = table.take(selected).dropna(subset=list(pair))
    first, second = (find_edges(read_values(table, name, selected), _check_bins(bins)) for name in pair)
    index, job = table.outcome_index(outcome), job or Job()
    differences, counts = second_differences(model, cells, pair, (first, second), index, job)
    share = percent((counts == 0).mean()).capitalize()
    note = f"{share} of the cells hold no row; there the nearest cell's effect is used."
    return Effect2D(
        features=pair,
        outcome=table.outcome_words(outcome),
        method="accumulated local effects",
        grids=(first, second),
        average=accumulate(differences, counts),
        empty=find_empty_corners(counts),
        extrapolation_share=extrapolation_share(table, *pair),
        notes=() if counts.all() else (note,),
    )


def _check_bins(bins: int) -> int:
    if isinstance(bins, bool) or not 1 <= bins <= MAX_BINS:
        raise InvalidParam(f"The number of parts (bins) must be from 1 to {MAX_BINS}. Got {bins!r}.")
    return int(bins)


def _accumulate_numbers(
    model: TabularModel, cells: pd.DataFrame, feature: str, edges: Float64, outcome: int | None, job: Job[Any]
) -> tuple[Float64, tuple[str, ...]]:
    """Return the effect at the edges, (B + 1,), and notes."""
    bins = assign_bins(edges, cells[feature].to_numpy(dtype=np.float64))
    job.expect(2 * len(cells))
    # Move each row to the two ends of its own bin.
    low, high = (predict_scores(model, cells.assign(**{feature: edges[bins + end]}), outcome, job) for end in (0, 1))
    # Average the differences within each bin, and add them up.
    counts = np.bincount(bins, minlength=len(edges) - 1)
    steps = np.bincount(bins, weights=high - low, minlength=len(counts)) / np.maximum(counts, 1)
    summed = np.concatenate([[0.0], np.cumsum(steps)])
    # Centre: a bin's value is the mean of its two ends.
    middle = (summed[:-1] + summed[1:]) / 2
    note = f"Some parts hold fewer than {FEW_ROWS} rows, so the curve is uncertain there: choose fewer parts."
    return summed - middle @ counts / counts.sum(), () if counts.min() >= FEW_ROWS else (note,)


def _accumulate_categories(
    model: TabularModel, cells: pd.DataFrame, feature: str, names: npt.NDArray[Any], outcome: int | None, job: Job[Any]
) -> tuple[Float64, tuple[str, ...]]:
    """Return the effect at the categories in the order of `names`, (K,), and notes."""
    if len(names) < 2:
        raise NotApplicable(f"The column {feature!r} has the same value in all these rows, so nothing can be moved.")
    position = _find_positions(names, cells[feature].to_numpy(dtype=object))
    # The outermost categories have a neighbour on one side only.
    up, down = position < len(names) - 1, position > 0
    job.expect(int(len(cells) + up.sum() + down.sum()))
    # Move each row to the category above its own and to the one below.
    own = predict_scores(model, cells, outcome, job)
    raised = cells[up].assign(**{feature: names[position[up] + 1]})
    above = predict_scores(model, raised, outcome, job) - own[up]
    lowered = cells[down].assign(**{feature: names[position[down] - 1]})
    below = own[down] - predict_scores(model, lowered, outcome, job)
    # Average the differences of each step between neighbours, add them up, and centre.
    step = np.concatenate([position[up], position[down] - 1])
    steps = np.bincount(step, weights=np.concatenate([above, below])) / np.bincount(step)
    summed = np.concatenate([[0.0], np.cumsum(steps)])
    counts = np.bincount(position, minlength=len(names))
    note = "Categories stand in the order in which their rows resemble each other."
    return summed - summed @ counts / counts.sum(), (note,) if len(names) > 2 else ()


def _find_positions(names: npt.NDArray[Any], values: npt.NDArray[Any]) -> Int64:
    """Return the position of each value among the names, (N,)."""
    positions = {name: position for position, name in enumerate(names)}
    return np.array([positions[value] for value in values], dtype=np.int64)
