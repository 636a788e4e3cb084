"""Proxies of a group: other columns that give it away, so that a model can know it without seeing it.

Each other column is measured by how well it predicts the group on rows not learned from, so that one scale holds for
numbers and categories, and a column of unique names cannot look predictive by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xai_core.arrays import Float64, Int64
from xai_core.errors import InvalidParam
from xai_core.formatting import percent
from xai_core.tabular.data.grouping import split_folds
from xai_core.tabular.data.row_encoder import RowEncoder
from xai_core.tabular.data.table import Table
from xai_core.tabular.evaluation.groups import group_membership

FOLDS = 5
# Rows on which proxies are measured.
MAX_ROWS = 4000
# Association below which a column hardly gives the group away.
WEAK = 0.1


@dataclass(frozen=True)
class Proxy:
    """Chance-corrected balanced accuracy of predicting the group from one other column: 0 guessing, 1 always."""

    column: str
    association: float


@dataclass(frozen=True)
class Proxies:
    """The other columns of a table, the one that gives the group away best first."""

    column: str
    ranked: tuple[Proxy, ...]
    together: float
    """The same accuracy for all other columns together, 0 to 1."""
    sentence: str


def proxies(table: Table, column: str, seed: int = 0) -> Proxies:
    """Rank every other column by how well small cross-validated decision trees predict the group from it alone.

    Raises: UnknownName (the column), InvalidParam (a column of a single group), InvalidTable (too few table groups).

    >>> import pandas as pd
    >>> from xai_core.tabular import table_from
    >>> frame = pd.DataFrame({"group": ["A", "B"] * 20, "copy": ["p", "q"] * 20, "row": range(40)})
    >>> result = proxies(table_from(frame, range(40)), "group")
    >>> result.ranked[0].column, result.ranked[0].association
    ('copy', 1.0)
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(table.frame), min(MAX_ROWS, len(table.frame)), replace=False))
    _, membership = group_membership(table, column, rows, 4)
    membership = _drop_small_groups(membership, column)
    codes = RowEncoder.of(table)
    cells = codes.encode(table.take(rows))[membership >= 0]
    groups = None if table.groups is None else table.groups[rows][membership >= 0]
    membership = membership[membership >= 0]
    own = codes.column_index(column)
    others = [index for index in range(len(codes.names)) if index != own]
    measured = [
        Proxy(codes.names[index], _predict_group(cells[:, [index]], membership, groups, seed)) for index in others
    ]
    ranked = tuple(sorted(measured, key=lambda proxy: -proxy.association))
    together = _predict_group(cells[:, others], membership, groups, seed) if others else 0.0
    # A small tree of many columns may do worse than the best one alone.
    together = max([together, *(proxy.association for proxy in ranked[:1])])
    return Proxies(column, ranked, together, _describe_proxies(column, ranked, together))


def _drop_small_groups(membership: Int64, column: str) -> Int64:
    """Return the membership with -1 for groups of less than two rows a fold.

    Raises: InvalidParam (fewer than two groups are left).
    """
    counts = np.bincount(membership[membership >= 0])
    large = np.flatnonzero(counts >= 2 * FOLDS)
    if len(large) < 2:
        needed = f"at least two groups of {2 * FOLDS} rows each"
        raise InvalidParam(f"The column {column} needs {needed} to look for what gives them away.")
    return np.where(np.isin(membership, large), membership, -1)


def _predict_group(cells: Float64, membership: Int64, groups: Int64 | None, seed: int) -> float:
    """Return the balanced accuracy on rows not learned from, 0 for guessing and 1 for always right.

    `groups`: rows that stay together, (N,), as in `Table.groups`.
    """
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    # Small leaves would learn unique names by heart.
    tree = DecisionTreeClassifier(max_leaf_nodes=16, min_samples_leaf=5, class_weight="balanced", random_state=seed)
    folds: Any = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    if groups is not None:
        folds = split_folds(membership, groups, FOLDS, seed)
    predicted = cross_val_predict(tree, cells, membership, cv=folds, n_jobs=1)
    return max(0.0, float(balanced_accuracy_score(membership, predicted, adjusted=True)))


def _describe_proxies(column: str, ranked: Sequence[Proxy], together: float) -> str:
    if not ranked:
        return f"There is no other column that could give {column} away."
    best = ranked[0]
    if max(best.association, together) < WEAK:
        return f"The other columns hardly give {column} away."
    return (
        f"{best.column} gives {column} away best: {percent(best.association)} of the way from guessing to knowing; "
        f"all other columns together {percent(together)}. A model can use {column} through them without seeing it."
    )
