"""Partial dependence (Friedman 2001) and individual conditional expectation (Goldstein et al. 2015) of features.

Partial dependence sets the same value in every row and averages the scores: PD(v) = mean over rows of f(v, the row's
other values); equal to scikit-learn's `partial_dependence(method="brute")`. An individual line is one row's score along
the grid. Both ask the model about rows that may not exist where features go together: see `measure_extrapolation`, and
accumulated local effects, which do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Bool
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.formatting import percent
from xai_core.tabular.inspection.association import MIN_SHARE, extrapolation_share, measure_extrapolation
from xai_core.tabular.inspection.effect import Effect, Effect2D
from xai_core.tabular.inspection.grid import build_grid
from xai_core.tabular.inspection.rows import sample_rows, select_rows
from xai_core.tabular.inspection.scoring import average_scores
from xai_core.tabular.models.table_model import resolve_model

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

__all__ = ["Effect", "Effect2D", "partial_dependence", "partial_dependence_2d"]

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
    """Average the score at up to `grid` values of a feature, (G,), with the lines of `sample` rows, (n, G).

    The average is over all `rows` (default: the whole table), whatever the sample (None: all rows have a line). `model`
    is a trained table model, or a fitted scikit-learn estimator with its `table`.

    Raises: UnknownName, InvalidParam, NotApplicable (a column without values), Cancelled.

    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]}), [1.0, 3.0, 5.0, 7.0])
    >>> model = LinearRegression().fit(table.frame, table.target)
    >>> partial_dependence(model, "a", table=table).average.round(3).tolist()
    [1.0, 3.0, 5.0, 7.0]
    """
    if kind not in get_args(Kind):
        raise InvalidParam(f"The kind must be one of {', '.join(get_args(Kind))}. Got {str(kind)[:60]!r}.")
    model, table = resolve_model(model, table)
    selected = select_rows(table, rows)
    shown = sample_rows(selected, sample, seed) if kind != "average" else selected[:0]
    axis = build_grid(table, feature, grid, selected)
    index, job = table.outcome_index(outcome), job or Job()
    job.expect(len(selected) * len(axis.points))
    average, lines = average_scores(model, table.take(selected), {feature: axis.points}, index, job, shown)
    notes = axis.notes
    if kind != "average" and len(shown) < len(selected):
        notes += (
            f"{len(shown):,} lines of {len(selected):,} rows are kept, drawn at random; the average uses all rows.",
        )
    return Effect(
        feature=feature,
        outcome=table.outcome_words(outcome),
        method="partial dependence",
        grid=axis.points,
        average=average,
        individual=None if kind == "average" else lines,
        rows=shown,
        distribution=axis.distribution,
        empty=axis.empty,
        notes=(*notes, *measure_extrapolation(table, feature).notes),
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
    """Average the score at up to `grid` × `grid` pairs of values, (A, B). Raises as `partial_dependence` does.

    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import table_from
    >>> table = table_from(pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [0.0, 2.0, 1.0]}), [1.0, 4.0, 4.0])
    >>> model = LinearRegression().fit(table.frame, table.target)
    >>> partial_dependence_2d(model, ("a", "b"), table=table).average.round(3).tolist()
    [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [3.0, 4.0, 5.0]]
    """
    model, table = resolve_model(model, table)
    pair = table.check_pair(features)
    selected = select_rows(table, rows)
    first, second = (build_grid(table, name, grid, selected) for name in pair)
    height, width = len(first.points), len(second.points)
    # The second feature runs fastest.
    variants = {pair[0]: np.repeat(first.points, width), pair[1]: np.tile(second.points, height)}
    index, job = table.outcome_index(outcome), job or Job()
    frame = table.take(selected)
    job.expect(len(frame) * height * width)
    average, _ = average_scores(model, frame, variants, index, job)
    share = extrapolation_share(table, *pair)
    missing = (f"{percent(share).capitalize()} of these combinations do not exist in your data.",)
    return Effect2D(
        features=pair,
        outcome=table.outcome_words(outcome),
        method="partial dependence",
        grids=(first.points, second.points),
        average=average.reshape(height, width),
        empty=_find_empty_pairs(first.points, second.points, frame[list(pair)].dropna()),
        extrapolation_share=share,
        notes=(*first.notes, *second.notes, *(missing if share >= MIN_SHARE else ())),
    )


def _find_empty_pairs(first: npt.NDArray[Any], second: npt.NDArray[Any], cells: pd.DataFrame) -> Bool:
    """Return (A, B) True where no row lies within one step of both values; `cells` holds the two features alone."""
    near = [
        _is_near(points, cells.iloc[:, column].to_numpy(dtype=points.dtype)).astype(np.float32)
        for column, points in enumerate((first, second))
    ]
    # Rows near both values, counted by a matrix product.
    empty: Bool = near[0].T @ near[1] == 0
    return empty


def _is_near(points: npt.NDArray[Any], values: npt.NDArray[Any]) -> Bool:
    """Return (N, G) True where a row's value lies within one step of the grid point."""
    if points.dtype == object or len(points) < 2:
        equal: Bool = values[:, None] == points
        return equal
    step = (points[-1] - points[0]) / (len(points) - 1)
    close: Bool = np.abs(values[:, None] - points) <= step
    return close
