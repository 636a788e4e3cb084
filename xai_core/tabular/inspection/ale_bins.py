"""The parts that accumulated local effects cut a feature into, and what two features do together within them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64
from xai_core.errors import NotApplicable
from xai_core.tabular.inspection.scoring import scores_of
from xai_core.tabular.models.table_model import TabularModel

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.engine.jobs import Job

Whole = npt.NDArray[np.int64]


def edges_of(values: Float64, bins: int) -> Float64:
    """Ends of parts of about equally many rows: values that occur, ascending, so that a frequent value gets a part of its own."""
    found: Float64 = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1), method="inverted_cdf"))
    if len(found) < 2:
        raise NotApplicable("This column has the same value in all these rows, so nothing can be moved.")
    return found


def part_of(edges: Float64, values: Float64) -> Whole:
    """Number of the part (edges[k], edges[k + 1]] of each value; the smallest value belongs to the first."""
    return np.clip(np.searchsorted(edges, values, side="left") - 1, 0, len(edges) - 2).astype(np.int64)


def second_differences(
    model: TabularModel,
    cells: pd.DataFrame,
    pair: tuple[str, str],
    edges: tuple[Float64, Float64],
    outcome: int | None,
    job: Job[Any],
) -> tuple[Float64, Whole]:
    """(a, b) mean of what both steps do beyond the sum of each, and (a, b) rows. Empty cells take the nearest cell's mean."""
    parts = [part_of(ends, cells[name].to_numpy(dtype=np.float64)) for name, ends in zip(pair, edges, strict=True)]
    shape = (len(edges[0]) - 1, len(edges[1]) - 1)
    job.expect(4 * len(cells))

    def corner(first: int, second: int) -> Float64:
        moved = {pair[0]: edges[0][parts[0] + first], pair[1]: edges[1][parts[1] + second]}
        return scores_of(model, cells.assign(**moved), outcome, job)

    local = corner(1, 1) - corner(0, 1) - corner(1, 0) + corner(0, 0)
    cell = np.ravel_multi_index((parts[0], parts[1]), shape)
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    means = np.bincount(cell, weights=local, minlength=counts.size).reshape(shape) / np.maximum(counts, 1)
    return _filled(means, counts), counts


def _filled(means: Float64, counts: Whole) -> Float64:
    """Cells without rows get the value of the nearest one with rows, distances in shares of the rows as the parts are."""
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(
        counts == 0, sampling=[1 / size for size in counts.shape], return_distances=False, return_indices=True
    )
    found: Float64 = means[tuple(nearest)]
    return found


def together(second: Float64, counts: Whole) -> Float64:
    """(A, B) second differences added up, less the main effects that are in the sums, centred over the rows."""
    summed = np.zeros((second.shape[0] + 1, second.shape[1] + 1))
    summed[1:, 1:] = second.cumsum(axis=0).cumsum(axis=1)
    first = _main_effect(np.diff(summed, axis=0), counts)
    other = _main_effect(np.diff(summed, axis=1).T, counts.T)
    pure = summed - first[:, None] - other
    middle = (pure[:-1, :-1] + pure[:-1, 1:] + pure[1:, :-1] + pure[1:, 1:]) / 4
    found: Float64 = pure - (middle * counts).sum() / counts.sum()
    return found


def _main_effect(steps: Float64, counts: Whole) -> Float64:
    """(A,) the effect of the first feature alone within a surface: its steps (a, B), averaged over the rows of each of its parts."""
    between = (steps[:, :-1] + steps[:, 1:]) / 2
    mean = (between * counts).sum(axis=1) / np.maximum(counts.sum(axis=1), 1)
    return np.concatenate([[0.0], np.cumsum(mean)])


def no_cell_around(counts: Whole) -> npt.NDArray[np.bool_]:
    """(A, B) True at corners none of whose cells holds a row."""
    padded = np.pad(counts, 1)
    around = padded[:-1, :-1] + padded[:-1, 1:] + padded[1:, :-1] + padded[1:, 1:]
    found: npt.NDArray[np.bool_] = around == 0
    return found
