"""Association of columns with the target: a planted order of strengths, of every kind of column and target."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from xai_core.tabular import Table, rank_by_target, table_from

ROWS = 2000


def build_table(*, classes: bool) -> Table:
    """A target that "strong" decides nearly alone, "words" somewhat, and "noise" not at all."""
    rng = np.random.default_rng(0)
    cause = rng.normal(size=ROWS)
    frame = pd.DataFrame(
        {
            "noise": rng.normal(size=ROWS),
            "words": np.where(cause + 2 * rng.normal(size=ROWS) > 0, "high", "low"),
            "strong": -cause + 0.1 * rng.normal(size=ROWS),
        }
    )
    return table_from(frame, cause > 0, classes=("no", "yes")) if classes else table_from(frame, cause)


@pytest.mark.parametrize("classes", [False, True])
def test_the_strongest_column_is_first_and_noise_last(classes: bool) -> None:
    strengths = rank_by_target(build_table(classes=classes))
    assert list(strengths) == ["strong", "words", "noise"]
    assert strengths["strong"] > 0.7 and 0.1 < strengths["words"] < 0.6 and strengths["noise"] < 0.06


def test_the_strength_of_numbers_is_that_of_pandas_whatever_the_sign() -> None:
    table = build_table(classes=False)
    expected = abs(table.frame["strong"].corr(pd.Series(table.target), method="spearman"))
    assert rank_by_target(table)["strong"] == pytest.approx(expected, abs=1e-12)


def test_a_column_with_hardly_a_value_is_last() -> None:
    table = build_table(classes=True)
    gaps = table.frame.assign(strong=table.frame["strong"].where(np.arange(ROWS) < 3))
    assert rank_by_target(table_from(gaps, table.target, classes=table.classes))["strong"] == 0
