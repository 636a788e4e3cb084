"""`python -m benchmarks.tables.counterfactuals`: our changes of a row against dice-ml's, by validity, sparsity,
distance and time.

dice-ml brings hundreds of megabytes of packages, so it is not among the requirements:
`pip install "dice-ml>=0.12,<0.13"` first.
"""

from __future__ import annotations

import contextlib
import io
import random
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pandas as pd

from xai_core.tabular import Table, TabularModel, counterfactuals, load_table, train

CASES = (
    ("loan", "gradient_boosting"),
    ("loan", "linear"),
    ("breast_cancer", "gradient_boosting"),
    ("iris", "support_vectors"),
)
METHODS, ROWS, COUNT = ("random", "genetic"), 20, 5
Search = Callable[[pd.DataFrame, int], list[pd.DataFrame]]
"""From a row and the target class to at most COUNT changed rows."""


def build_own_search(model: TabularModel) -> Search:
    return lambda row, target: [
        change.row for change in counterfactuals(model, row, target=target, count=COUNT).changes
    ]


def build_dice_search(model: TabularModel, method: str) -> Search:
    """Build a search with dice-ml and its defaults; booleans are categories to it, whole numbers integers."""
    import dice_ml
    from raiutils.exceptions import UserConfigValidationException

    table = model.table
    types = {c.name: str if c.kind == "boolean" else int for c in table.columns if c.kind == "boolean" or c.whole}
    frame = table.take(model.train_rows).astype(types).assign(_outcome=table.target[model.train_rows])
    numbers = [c.name for c in table.columns if c.kind in ("numeric", "date")]

    class Model:
        def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
            return model.predict(_convert_types(table, rows))

    data = dice_ml.Data(dataframe=frame, continuous_features=numbers, outcome_name="_outcome")
    engine = dice_ml.Dice(data, dice_ml.Model(model=Model(), backend="sklearn", model_type="classifier"), method=method)

    def search(row: pd.DataFrame, target: int) -> list[pd.DataFrame]:
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002  # the generators that all threads share
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                answer = engine.generate_counterfactuals(
                    row.astype(types), total_CFs=COUNT, desired_class=target
                ).cf_examples_list[0]
        # It finds nothing, or the row has a value outside of the training rows.
        except (UserConfigValidationException, ValueError):
            return []
        return [
            _convert_types(table, answer.final_cfs_df_sparse.iloc[[place]])
            for place in range(len(answer.final_cfs_df_sparse))
        ]

    return search


def _convert_types(table: Table, rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({c.name: rows[c.name].astype(object if c.kind == "category" else float) for c in table.columns})


def summarise_search(model: TabularModel, search: Search) -> str:
    """Format medians over all changes as cells of the table.

    The distance sums the numbers' differences in median absolute deviations, and 1 per changed category.
    """
    numbers = model.table.take(model.train_rows).select_dtypes("number")
    scale = (numbers - numbers.median()).abs().median().replace(0, np.nan).fillna(numbers.std()).replace(0, 1)
    seconds, measured = [], []
    for start in (model.table.take([row]) for row in model.test_rows[:ROWS]):
        target = int(model.predict(start)[0].argsort()[-2])
        began = time.perf_counter()
        changes = search(start, target)
        seconds.append(time.perf_counter() - began)
        for change in changes:
            different = (change.to_numpy() != start.to_numpy())[0]
            deviations = (
                np.abs(change[numbers.columns].to_numpy() - start[numbers.columns].to_numpy())[0] / scale.to_numpy()
            )
            distance = deviations.sum() + different[~change.columns.isin(numbers.columns)].sum()
            measured.append((model.predict(change)[0].argmax() == target, different.sum(), distance))
    valid, changed, distances = np.array(measured, dtype=np.float64).reshape(-1, 3).T
    quality = f"{valid.mean():.2f} | {np.median(changed):g} | {np.median(distances):.2f}"
    return f"{len(measured)} | {quality} | {median(seconds):.2f}"


if __name__ == "__main__":
    print(
        "| table | model | search | found | valid | features changed | distance | s a row |\n"
        "|---|---|---|---:|---:|---:|---:|---:|"
    )
    for name, kind in CASES:
        model = train(load_table(name), kind)
        for searcher, search in {
            "ours": build_own_search(model),
            **{f"dice-ml {method}": build_dice_search(model, method) for method in METHODS},
        }.items():
            print(f"| {name} | {kind} | {searcher} | {summarise_search(model, search)} |", flush=True)
