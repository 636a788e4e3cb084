"""An order of categories by how much their rows resemble each other in the other features (Apley & Zhu 2020, appendix E).

The distance of two categories is the sum, over the other features, of the largest difference of their cumulative shares (numbers,
Kolmogorov–Smirnov) or half the summed difference of their shares (categories). Classical scaling to one dimension gives the order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

MOST_OTHERS = 50
QUANTILES = 101


def natural_order(table: Table, cells: pd.DataFrame, feature: str) -> npt.NDArray[Any]:
    """(K,) the categories that occur in these rows, neighbours alike. Two of them, or nothing to compare by, keep the alphabet."""
    names, which = np.unique(cells[feature].to_numpy(dtype=object), return_inverse=True)
    others = [column for column in table.columns if column.name != feature][:MOST_OTHERS]
    if len(names) < 3 or not others:
        return names
    distance = np.zeros((len(names), len(names)))
    for column in others:
        shares = _shares(cells[column.name], which, len(names), column.kind == "category")
        gap = np.abs(shares[:, None] - shares[None])
        distance += gap.sum(axis=2) / 2 if column.kind == "category" else gap.max(axis=2)
    return names[np.argsort(_one_dimension(distance), kind="stable")]


def _shares(values: pd.Series[Any], which: npt.NDArray[np.intp], groups: int, category: bool) -> Float64:
    """(groups, V) share of each value in a group, or for numbers the share at or below each of 101 quantiles."""
    known = values.notna().to_numpy()
    if category:
        found, names = values.factorize()
        table = np.zeros((groups, max(len(names), 1)))
        np.add.at(table, (which[known], found[known]), 1)
    else:
        numbers = values.to_numpy(dtype=np.float64)
        cuts = np.quantile(numbers[known], np.linspace(0, 1, QUANTILES)) if known.any() else np.zeros(1)
        table = np.stack(
            [np.searchsorted(np.sort(numbers[known & (which == each)]), cuts, side="right") for each in range(groups)]
        ).astype(float)
    sizes = np.bincount(which[known], minlength=groups)
    return table / np.maximum(sizes, 1)[:, None]


def _one_dimension(distance: Float64) -> Float64:
    """(K,) places on a line by classical multidimensional scaling; the side is chosen so that the first category is on the left."""
    squared = distance**2
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean()
    _, vectors = np.linalg.eigh(-centred / 2)
    line: Float64 = vectors[:, -1]
    return line if line[0] <= line[-1] else -line
