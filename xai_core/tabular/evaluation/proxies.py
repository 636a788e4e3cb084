"""Which columns give a group away? A model that never sees a column can still know it through its proxies.

Each other column is asked how well it tells the group on rows it has not learned from, so that one scale holds for numbers and categories
and a column of unlike names cannot look telling by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xai_core.arrays import Float64
from xai_core.errors import InvalidParam
from xai_core.tabular.data.row_encoder import RowEncoder
from xai_core.tabular.data.table import Table
from xai_core.tabular.evaluation.groups import Rows, members

FOLDS = 5
MOST_ROWS = 4000
"""Rows that proxies are looked for in."""


@dataclass(frozen=True)
class Proxy:
    """How well one other column gives the group away: 0 no better than guessing, 1 always (chance-corrected balanced accuracy)."""

    column: str
    association: float


@dataclass(frozen=True)
class Proxies:
    """The other columns of a table, the one that gives the group away best first."""

    column: str
    ranked: tuple[Proxy, ...]
    together: float
    """How well all other columns together give it away, 0 to 1."""
    sentence: str


def proxies(table: Table, column: str, seed: int = 0) -> Proxies:
    """Every other column by how well it alone gives the group away, found by small cross-validated decision trees.

    Raises UnknownName (the column) and InvalidParam where the column has a single group.
    """
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(len(table.frame), min(MOST_ROWS, len(table.frame)), replace=False))
    _, member = members(table, column, chosen, 4)
    member = _learnable(member, column)
    codes = RowEncoder.of(table)
    cells = codes.encode(table.take(chosen))[member >= 0]
    member = member[member >= 0]
    own = codes.column_index(column)
    others = [place for place in range(len(codes.names)) if place != own]
    found = [Proxy(codes.names[place], _given_away(cells[:, [place]], member, seed)) for place in others]
    ranked = tuple(sorted(found, key=lambda proxy: -proxy.association))
    together = _given_away(cells[:, others], member, seed) if others else 0.0
    # A small tree may lose its way among many columns.
    together = max([together, *(proxy.association for proxy in ranked[:1])])
    return Proxies(column, ranked, together, _proxy_sentence(column, ranked, together))


def _learnable(member: Rows, column: str) -> Rows:
    """The groups with at least two rows a fold, others marked -1. Raises InvalidParam where fewer than two are left."""
    counts = np.bincount(member[member >= 0])
    large = np.flatnonzero(counts >= 2 * FOLDS)
    if len(large) < 2:
        raise InvalidParam(
            f"The column {column} needs at least two groups of {2 * FOLDS} rows each to look for what gives them away."
        )
    return np.where(np.isin(member, large), member, -1)


def _given_away(cells: Float64, member: Rows, seed: int) -> float:
    """Balanced accuracy of telling the group from these columns on rows not learned from, 0 for guessing and 1 for always right."""
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(max_leaf_nodes=16, min_samples_leaf=5, class_weight="balanced", random_state=seed)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    told = cross_val_predict(tree, cells, member, cv=folds, n_jobs=1)
    return max(0.0, float(balanced_accuracy_score(member, told, adjusted=True)))


def _proxy_sentence(column: str, ranked: Sequence[Proxy], together: float) -> str:
    if not ranked:
        return f"There is no other column that could give {column} away."
    first = ranked[0]
    if max(first.association, together) < 0.1:
        return f"The other columns hardly give {column} away."
    return (
        f"{first.column} gives {column} away best: {first.association:.0%} of the way from guessing to knowing; all other columns together "
        f"{together:.0%}. A model can use {column} through them without seeing it."
    )
