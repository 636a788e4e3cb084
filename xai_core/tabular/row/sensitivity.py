"""Reach of each feature over the answer for one row: a first look before slower methods are done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_core.tabular.models.table_model import resolve_model

if TYPE_CHECKING:
    import pandas as pd

    from xai_core.tabular.data.table import Table

# Values of other rows that are tried for each feature.
VALUES = 16


def rank_for_row(
    model: Any, row: pd.DataFrame, *, table: Table | None = None, outcome: int | None = None
) -> Mapping[str, float]:
    """Return each feature's spread of the row's score over values that other rows have, the largest first.

    The spread is the standard deviation over 16 of these values at evenly spaced ranks, all else of the row as it is;
    0 for a feature without values. Raises as `TabularModel.score` does.

    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from xai_core.tabular import table_from
    >>> frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 0.0, 1.0]})
    >>> table = table_from(frame, frame["a"] + 10 * frame["b"])
    >>> list(rank_for_row(LinearRegression().fit(table.frame, table.target), table.take([0]), table=table))
    ['b', 'a']
    """
    model, table = resolve_model(model, table)
    names = list(table.features)
    copies = row.loc[row.index.repeat(len(names) * VALUES)].reset_index(drop=True)
    for place, name in enumerate(names):
        cells = table.frame[name].dropna().sort_values(kind="stable")
        if len(cells):
            # The middle of each sixteenth: the outermost values are rare.
            ranks = ((np.arange(VALUES) + 0.5) / VALUES * len(cells)).astype(int)
            copies.loc[place * VALUES : (place + 1) * VALUES - 1, name] = cells.to_numpy()[ranks]
    scores = model.score(copies, table.outcome_index(outcome)).reshape(len(names), VALUES)
    spreads = dict(zip(names, map(float, scores.std(axis=1)), strict=True))
    return dict(sorted(spreads.items(), key=lambda pair: -pair[1]))
