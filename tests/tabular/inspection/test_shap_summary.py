"""Shapley values of many rows against their sums, shap's own values, and all orders tried by hand."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shap
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression

import xai_core.tabular as tables
from tests.tabular.closed_form_models import all_kinds_table, build_model, number_table
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, NotApplicable
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.data.table import Table, table_from
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.models.train import train


def check_sum(result: Any) -> None:
    np.testing.assert_allclose(result.values.sum(axis=1) + result.base, result.scores, atol=1e-8)
    assert np.ptp(result.scores) > 0


def compute_target(table: Table, classes: int) -> Any:
    score = table.frame["a"] * table.frame["b"] + 2 * table.frame["c"]
    return pd.qcut(score, classes, labels=False).to_numpy() if classes else score.to_numpy()


def build_table(classes: int) -> Table:
    table = number_table(4, rows=200)
    return table_from(table.frame, compute_target(table, classes), classes=list("xyz")[:classes], target_name="size")


@pytest.mark.parametrize("classes", [0, 2, 3])
@pytest.mark.parametrize("forest", [True, False], ids=["forest", "boosted"])
def test_trees_get_shaps_own_values_and_add_up_to_what_they_say(forest: bool, classes: int) -> None:
    table = build_table(classes)
    kinds = (
        (RandomForestClassifier, HistGradientBoostingClassifier)
        if classes
        else (RandomForestRegressor, HistGradientBoostingRegressor)
    )
    trees = (kinds[0](8, max_depth=5, random_state=0) if forest else kinds[1](max_iter=10, random_state=0)).fit(
        table.frame, table.target
    )
    result = tables.shap_summary(trees, table=table, rows=50)
    assert result.method == "TreeExplainer"
    check_sum(result)
    expected = np.asarray(shap.TreeExplainer(trees).shap_values(result.data))
    expected = expected[:, :, -1] if expected.ndim == 3 else expected
    np.testing.assert_allclose(result.values, expected, atol=1e-9)
    words = {0: "size", 2: "probability of y", 3: "probability of z"}[classes]
    assert result.outcome == (words if forest or not classes else words.replace("probability", "log-odds"))
    if classes:
        margin = trees.predict_proba(result.data)[:, -1] if forest else trees.decision_function(result.data)
        np.testing.assert_allclose(result.scores, margin if margin.ndim == 1 else margin[:, -1], atol=1e-12)


def test_of_two_classes_the_first_is_the_second_turned_round() -> None:
    table = build_table(2)
    trees = HistGradientBoostingClassifier(max_iter=10).fit(table.frame, table.target)
    first, second = (tables.shap_summary(trees, table=table, rows=20, outcome=outcome) for outcome in (0, 1))
    np.testing.assert_array_equal(first.values, -second.values)
    assert first.base == -second.base and (first.outcome, second.outcome) == ("log-odds of x", "log-odds of y")
    assert "2.7 times" in first.notes[0] and first.unit == "log-odds"
    check_sum(first)


def test_columns_made_from_one_feature_are_summed() -> None:
    model = train(load_table("loan"), params={"trees": 20})
    result = tables.shap_summary(model, rows=60)
    assert result.method == "TreeExplainer" and result.features == model.table.features
    check_sum(result)
    prepared = model.prepare(result.data)
    expected = shap.TreeExplainer(model.last_step).shap_values(prepared.values)
    for place, feature in enumerate(result.features):
        own = [number for number, owner in enumerate(prepared.owners) if owner == feature]
        np.testing.assert_allclose(result.values[:, place], expected[:, own].sum(axis=1), atol=1e-9)
    assert sum(owner == "district" for owner in prepared.owners) == 4
    assert list(result.order) == sorted(range(11), key=lambda place: -result.importance[place])
    np.testing.assert_array_equal(model.table.take(result.rows).to_numpy(), result.data.to_numpy())


def test_an_own_model_with_its_classes_in_another_order() -> None:
    table = build_table(3)
    turned = table_from(table.frame, 2 - table.target, classes=["z", "y", "x"])
    trees = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(table.frame, table.target)
    model = build_model(turned, trees, tree_based=True, class_order=(2, 1, 0))
    for outcome in range(3):
        result = tables.shap_summary(model, table=turned, rows=[1, 5, 9], outcome=outcome)
        expected = tables.shap_summary(trees, table=table, rows=[1, 5, 9], outcome=2 - outcome)
        np.testing.assert_array_equal(result.values, expected.values)
        assert result.outcome == expected.outcome
        along = tables.partial_dependence(model, "a", table=turned, grid=5)
        same = tables.partial_dependence(trees, "a", table=table, grid=5)
        np.testing.assert_allclose(
            tables.partial_dependence(model, "a", table=turned, grid=5, outcome=0).average, same.average, atol=1e-12
        )
        assert not np.allclose(along.average, same.average)


def test_trees_whose_sum_is_not_what_they_say_are_explained_by_the_game() -> None:
    table = number_table(3, rows=150)
    target = np.exp(table.frame["a"] / 5 + table.frame["b"] / 10)
    own = table_from(table.frame, target)
    trees = HistGradientBoostingRegressor(loss="poisson", max_iter=10).fit(table.frame, target)
    result = tables.shap_summary(trees, table=own, rows=20)
    assert result.method == "permutations" and result.unit == "target"
    np.testing.assert_allclose(result.scores, trees.predict(result.data), atol=1e-12)
    check_sum(result)


def shapley_by_orders(score: Any, row: pd.DataFrame, background: pd.DataFrame) -> np.ndarray:
    """Return Shapley values of one row from every order of joining, averaged over the background rows."""
    names = list(row.columns)
    values = np.zeros(len(names))
    orders = list(permutations(names))
    for order in orders:
        mixed_rows, before = background.copy(), score(background).mean()
        for name in order:
            mixed_rows[name] = row[name].iloc[0]
            after = score(mixed_rows).mean()
            values[names.index(name)] += (after - before) / len(orders)
            before = after
    return values


def draw_background(model: TabularModel, result: Any, size: int) -> pd.DataFrame:
    rows = np.sort(np.random.default_rng(0).choice(model.train_rows, size, replace=False))
    return model.table.take(rows)


def test_other_models_get_exact_values_where_no_three_features_interact() -> None:
    table = number_table(4, rows=80, classes=())
    model = build_model(table, lambda frame: frame["a"] * frame["b"] - frame["c"] ** 2 + 0.5 * frame["b"] * frame["d"])
    result = tables.shap_summary(model, table=table, rows=[3, 50], background=9)
    check_sum(result)
    background = draw_background(model, result, 9)
    for place in range(2):
        expected = shapley_by_orders(lambda frame: model.score(frame), result.data.iloc[[place]], background)
        np.testing.assert_allclose(result.values[place], expected, atol=1e-9)


def test_three_features_that_interact_are_right_on_average() -> None:
    table = number_table(3, rows=80)
    model = build_model(table, lambda frame: (frame["a"] > 5) * (frame["b"] > 5) * (frame["c"] < 8) * 1.0)
    row = int(np.flatnonzero((table.frame["a"] > 5) & (table.frame["b"] > 5) & (table.frame["c"] < 8))[0])
    estimates = [
        tables.shap_summary(model, table=table, rows=[row], background=40, seed=seed).values[0] for seed in range(30)
    ]
    expected = shapley_by_orders(
        lambda frame: model.score(frame), table.frame.iloc[[row]], table.take(model.train_rows)
    )
    np.testing.assert_allclose(np.mean(estimates, axis=0), expected, atol=0.03)
    assert expected[0] > 2 * expected[2] > 0


def test_categories_and_empty_cells_take_part() -> None:
    table = all_kinds_table(80)
    model = build_model(table, lambda frame: (frame["colour"] == "red") * 0.5 + frame["rate"].isna() * 0.25)
    result = tables.shap_summary(model, table=table, rows=40, background=20)
    check_sum(result)
    used = [result.features.index(name) for name in ("colour", "rate")]
    assert np.abs(np.delete(result.values, used, axis=1)).max() < 1e-12
    red = (result.data["colour"] == "red").to_numpy()
    assert result.values[red, used[0]].min() > 0 > result.values[~red, used[0]].max()
    assert result.outcome == "probability of yes" and result.unit == "probability"


def test_the_same_seed_gives_the_same_rows_and_values_and_shared_generators_stay_untouched() -> None:
    table = number_table(4, rows=90)
    model = build_model(table, lambda frame: np.prod(frame, axis=1))
    state = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
    first, same, different = (
        tables.shap_summary(model, table=table, rows=10, background=5, seed=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.values, same.values) and np.array_equal(first.rows, same.rows)
    assert not np.array_equal(first.rows, different.rows)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # type: ignore[index]


def test_many_features_are_compared_with_fewer_rows_and_too_many_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    table = number_table(6, rows=40)
    model = LinearRegression().fit(table.frame, table.target)
    whole = tables.shap_summary(model, table=table, rows=20, background=30)
    monkeypatch.setattr("xai_core.tabular.inspection.shapley.MAX_EVALUATIONS", 20 * 2 * 5 * 4)
    monkeypatch.setattr("xai_core.tabular.inspection.shapley.CELLS", 600)
    result = tables.shap_summary(model, table=table, rows=20, background=30)
    assert "Compared with 4 rows" in result.notes[0] and "Compared with 30 rows" in whole.notes[0]
    check_sum(result)
    np.testing.assert_allclose(
        result.values - result.values.mean(axis=0), whole.values - whole.values.mean(axis=0), atol=1e-9
    )
    monkeypatch.setattr("xai_core.tabular.inspection.shapley.MAX_EVALUATIONS", 10)
    with pytest.raises(NotApplicable, match="too many to compare 20 rows"):
        tables.shap_summary(model, table=table, rows=20)


def test_jobs_and_refusals() -> None:
    table = build_table(2)
    trees = RandomForestClassifier(5, max_depth=3).fit(table.frame, table.target)
    for model in (trees, build_model(table, lambda frame: frame["a"] / 10)):
        job: Job[Any] = Job()
        tables.shap_summary(model, table=table, rows=20, background=3, job=job)
        assert 0 < job.done == job.total
        job.cancel()
        with pytest.raises(Cancelled):
            tables.shap_summary(model, table=table, rows=20, background=3, job=job)
    with pytest.raises(InvalidParam, match=r"from 1 to 5,000\. Got 0"):
        tables.shap_summary(trees, table=table, rows=0)
    with pytest.raises(InvalidParam, match=r"from 2 to 200 rows\. Got 1"):
        tables.shap_summary(trees, table=table, background=1)
