"""Numbers taken for kinds and ordered kinds in every function that explains a model of a table."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tabular.reading.column_file import write_csv
from xai_core.tabular import (
    Table,
    TabularModel,
    accumulated_local_effects,
    accumulated_local_effects_2d,
    counterfactuals,
    evaluate,
    explain_row,
    group_scores,
    partial_dependence,
    partial_dependence_2d,
    permutation_importance,
    proxies,
    read_table,
    shap_summary,
    train,
)

ROWS = 240
LEVELS = ("low", "medium", "high")


@pytest.fixture(scope="module")
def table() -> Table:
    """A code 1 to 12 of which 10 to 12 matter, and a level that raises the outcome."""
    rng = np.random.default_rng(0)
    code, level, noise = rng.integers(1, 13, ROWS), rng.integers(0, 3, ROWS), rng.normal(size=ROWS)
    sold = level + 2 * (code >= 10) + 0.3 * noise > 1.5
    raw = read_table(
        write_csv(
            {
                "code": [str(value) for value in code],
                "level": [LEVELS[value] for value in level],
                "noise": [f"{value:.4f}" for value in noise],
                "sold": ["yes" if value else "no" for value in sold],
            }
        )
    )
    return raw.table("sold", kinds={"code": "category", "level": "ordered"})


@pytest.fixture(scope="module", params=["linear", "gradient_boosting"])
def model(request: pytest.FixtureRequest, table: Table) -> TabularModel:
    return train(table, request.param)


def test_effects_show_kinds_in_their_order(model: TabularModel) -> None:
    effect = partial_dependence(model, "code", grid=20)
    assert effect.categorical and effect.grid.tolist() == [str(code) for code in range(1, 13)]
    assert effect.distribution.counts.sum() == ROWS
    level = partial_dependence(model, "level")
    assert level.grid.tolist() == list(LEVELS) and level.average.argmax() == 2
    accumulated = accumulated_local_effects(model, "level")
    assert accumulated.grid.tolist() == list(LEVELS) and accumulated.average.argmax() == 2
    assert not accumulated.notes
    assert sorted(accumulated_local_effects(model, "code").grid) == sorted(str(code) for code in range(1, 13))
    assert partial_dependence_2d(model, ("level", "noise")).grids[0].tolist() == list(LEVELS)
    with pytest.raises(Exception, match="need numbers; 'level' holds categories"):
        accumulated_local_effects_2d(model, ("level", "noise"))


def test_importance_and_scores(model: TabularModel) -> None:
    importance = permutation_importance(model)
    assert len(importance.features) == 3
    assert shap_summary(model, rows=20).values.shape[-1] == 3
    assert evaluate(model).values["accuracy"] > 0.8


@pytest.mark.parametrize("method", ["lime", "shap"])
def test_contributions_name_kinds(model: TabularModel, table: Table, method: str) -> None:
    result = explain_row(model, table.take([0]), method)
    assert len(result.values) == 3


def test_counterfactuals_take_values_of_the_kinds(model: TabularModel, table: Table) -> None:
    row = int(np.flatnonzero(table.target == 0)[0])
    result = counterfactuals(model, table.take([row]), 1)
    assert result.changes
    for change in result.changes:
        changed = change.row.iloc[0]
        assert changed["code"] in table.column("code").categories and changed["level"] in LEVELS


def test_groups_of_an_ordered_kind_rise(model: TabularModel, table: Table) -> None:
    names = [group.name for group in group_scores(model, table, "level").groups]
    assert names == list(LEVELS)
    assert proxies(table, "level") is not None


def test_a_form_takes_every_value(table: Table) -> None:
    row = table.row({"code": "12", "level": "high", "noise": 0.5})
    assert row.iloc[0].tolist() == ["12", "high", 0.5]
