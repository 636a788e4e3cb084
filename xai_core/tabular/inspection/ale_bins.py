"""Bins of accumulated local effects, and the second-order effect of two features within them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.arrays import Bool, Float64, Int64
from xai_core.errors import NotApplicable
from xai_core.tabular.inspection.scoring import predict_scores

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.engine.jobs import Job
    from xai_core.tabular.models.table_model import TabularModel


def find_edges(values: Float64, bins: int) -> Float64:
    """Return the ends of bins of about equally many rows, (B + 1,): values that occur, ascending.

    A frequent value gets a bin of its own.

    Raises: NotApplicable (all values are the same).
    """
    edges: Float64 = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1), method="inverted_cdf"))
    if len(edges) < 2:
        raise NotApplicable("This column has the same value in all these rows, so nothing can be moved.")
    return edges


def assign_bins(edges: Float64, values: Float64) -> Int64:
    """Return the number of the bin (edges[k], edges[k + 1]] of each value; the smallest value belongs to the first."""
    return np.clip(np.searchsorted(edges, values, side="left") - 1, 0, len(edges) - 2).astype(np.int64)


def second_differences(
    model: TabularModel,
    cells: pd.DataFrame,
    pair: tuple[str, str],
    edges: tuple[Float64, Float64],
    outcome: int | None,
    job: Job[Any],
) -> tuple[Float64, Int64]:
    """Return the mean effect of both steps beyond the sum of each in every cell, (a, b), and its rows, (a, b)."""
    bins = [assign_bins(ends, cells[name].to_numpy(dtype=np.float64)) for name, ends in zip(pair, edges, strict=True)]
    shape = (len(edges[0]) - 1, len(edges[1]) - 1)
    job.expect(4 * len(cells))

    def score_corner(first: int, second: int) -> Float64:
        moved = {pair[0]: edges[0][bins[0] + first], pair[1]: edges[1][bins[1] + second]}
        return predict_scores(model, cells.assign(**moved), outcome, job)

    # Each row at the four corners of its own cell.
    local = score_corner(1, 1) - score_corner(0, 1) - score_corner(1, 0) + score_corner(0, 0)
    cell = np.ravel_multi_index((bins[0], bins[1]), shape)
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    means = np.bincount(cell, weights=local, minlength=counts.size).reshape(shape) / np.maximum(counts, 1)
    return _fill_empty(means, counts), counts


def _fill_empty(means: Float64, counts: Int64) -> Float64:
    """Give cells without rows the value of the nearest one with rows; distances in shares of the rows, as the bins."""
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(
        counts == 0, sampling=[1 / size for size in counts.shape], return_distances=False, return_indices=True
    )
    nearest_means: Float64 = means[tuple(nearest)]
    return nearest_means


def accumulate(second: Float64, counts: Int64) -> Float64:
    """Add up second differences (a, b), less the main effects in the sums, centred over the rows: (A, B) at corners."""
    summed = np.zeros((second.shape[0] + 1, second.shape[1] + 1))
    summed[1:, 1:] = second.cumsum(axis=0).cumsum(axis=1)
    # Take off what each feature does alone within the surface.
    first_alone = _main_effect(np.diff(summed, axis=0), counts)
    second_alone = _main_effect(np.diff(summed, axis=1).T, counts.T)
    pure = summed - first_alone[:, None] - second_alone
    # Centre: a cell's value is the mean of its corners.
    middle = (pure[:-1, :-1] + pure[:-1, 1:] + pure[1:, :-1] + pure[1:, 1:]) / 4
    centred: Float64 = pure - (middle * counts).sum() / counts.sum()
    return centred


def _main_effect(steps: Float64, counts: Int64) -> Float64:
    """Return the effect of a surface's first feature alone, (A,): its steps (a, B) averaged over each bin's rows."""
    between = (steps[:, :-1] + steps[:, 1:]) / 2
    mean = (between * counts).sum(axis=1) / np.maximum(counts.sum(axis=1), 1)
    return np.concatenate([[0.0], np.cumsum(mean)])


def find_empty_corners(counts: Int64) -> Bool:
    """Return (A, B) True at corners none of whose cells holds a row."""
    padded = np.pad(counts, 1)
    around = padded[:-1, :-1] + padded[:-1, 1:] + padded[1:, :-1] + padded[1:, 1:]
    empty: Bool = around == 0
    return empty
