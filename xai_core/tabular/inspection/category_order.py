"""Order of categories by the similarity of their rows in the other features (Apley & Zhu 2020, appendix E).

The distance of two categories is the sum, over the other features, of the largest difference of their cumulative shares
(numbers, Kolmogorov–Smirnov) or half the summed difference of their shares (categories). Classical scaling to one
dimension gives the order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Float64

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

MAX_OTHERS = 50
QUANTILES = 101


def similarity_order(table: Table, cells: pd.DataFrame, feature: str) -> npt.NDArray[Any]:
    """Return the categories that occur in these rows, (K,), neighbours alike.

    Ordered categories keep their order. Two categories, or those with nothing to compare by, keep the alphabet.
    """
    if table.column(feature).ordered:
        return np.array(table.column(feature).sort_labels(cells[feature].unique()), dtype=object)
    names, groups = np.unique(cells[feature].to_numpy(dtype=object), return_inverse=True)
    columns = [column for column in table.columns if column.name != feature][:MAX_OTHERS]
    if len(names) < 3 or not columns:
        return names
    distance = np.zeros((len(names), len(names)))
    for column in columns:
        shares = _compute_shares(cells[column.name], groups, len(names), column.kind == "category")
        # Every pair of categories at once: (K, K, V).
        gap = np.abs(shares[:, None] - shares[None])
        distance += gap.sum(axis=2) / 2 if column.kind == "category" else gap.max(axis=2)
    return names[np.argsort(_scale_to_line(distance), kind="stable")]


def _compute_shares(values: pd.Series[Any], groups: npt.NDArray[np.intp], count: int, category: bool) -> Float64:
    """Return each group's share of each value, (groups, V); of numbers the share at or below each of 101 quantiles."""
    present = values.notna().to_numpy()
    if category:
        codes, names = values.factorize()
        totals = np.zeros((count, max(len(names), 1)))
        np.add.at(totals, (groups[present], codes[present]), 1)
    else:
        numbers = values.to_numpy(dtype=np.float64)
        # The cumulative shares of all categories at the same quantiles.
        edges = np.quantile(numbers[present], np.linspace(0, 1, QUANTILES)) if present.any() else np.zeros(1)
        ordered = [np.sort(numbers[present & (groups == group)]) for group in range(count)]
        totals = np.stack([np.searchsorted(part, edges, side="right") for part in ordered]).astype(float)
    sizes = np.bincount(groups[present], minlength=count)
    return totals / np.maximum(sizes, 1)[:, None]


def _scale_to_line(distance: Float64) -> Float64:
    """Return positions by classical multidimensional scaling, (K,), signed so that the first one is on the left."""
    squared = distance**2
    # Double centring turns squared distances into inner products.
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean()
    _, vectors = np.linalg.eigh(-centred / 2)
    # The axis of the largest eigenvalue.
    positions: Float64 = vectors[:, -1]
    return positions if positions[0] <= positions[-1] else -positions
