"""SHAP for one row against brute force over all orders, shap's TreeExplainer, and functions with known values."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor

from tests.tabular.closed_form_models import all_kinds_table, build_model, build_row_request, number_table
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled
from xai_core.tabular.data.table import table_from
from xai_core.tabular.row.explain import explain_row
from xai_core.tabular.row.methods import shap as shap_row

MIN_ROUNDS = shap_row.MIN_ROUNDS


def interacting_formula(frame):
    """Return a formula in which every column interacts with another, missing cells included."""
    income, red = frame["income"].to_numpy() / 5000, (frame["colour"] == "red").to_numpy()
    return (
        0.2
        + 0.5 * income * red
        + 0.2 * frame["rate"].isna().to_numpy() * frame["owner"].to_numpy()
        + (frame["day"] > 19_500) * 0.05
    )


def shapley_by_orders(score, start, background) -> np.ndarray:
    """Return Shapley values the slow way: every order of joining, one row at a time."""
    features = start.shape[1]
    values = np.zeros(features)
    orders = list(permutations(range(features)))
    for order in orders:
        rows = background.copy().reset_index(drop=True)
        before = score(rows).mean()
        for feature in order:
            rows[rows.columns[feature]] = [start.iloc[0, feature]] * len(rows)
            after = score(rows).mean()
            values[feature] += (after - before) / len(orders)
            before = after
    return values


def test_equals_brute_force_over_all_orders_on_every_kind_of_column() -> None:
    table = all_kinds_table(rows=16)
    model = build_model(table, interacting_formula)
    row = table.row({"income": 4000, "rate": None, "colour": "red", "owner": "yes", "day": "2024-03-01"})
    result = explain_row(model, row, "shap")
    expected = shapley_by_orders(interacting_formula, row, table.take(model.train_rows))
    assert np.abs(expected).min() > 0.001
    np.testing.assert_allclose(result.values, expected, atol=1e-12)
    assert result.base == pytest.approx(float(interacting_formula(table.take(model.train_rows)).mean()))
    assert result.conditions == ("income = 4,000", "rate is missing", "colour = red", "owner = yes", "day = 2024-03-01")
    assert (result.unit, result.outcome) == ("probability", 1)


def test_equals_shaps_tree_explainer() -> None:
    import shap

    rng = np.random.default_rng(3)
    # No value lies exactly on a cut of the trees.
    frame = pd.DataFrame(rng.uniform(0, 10, (120, 5)), columns=list("abcde"))
    table = table_from(frame, frame["a"] * frame["b"] + np.where(frame["c"] > 5, 20, 0) + frame["d"])
    forest = RandomForestRegressor(8, max_depth=5, random_state=0).fit(frame, table.target)
    model = build_model(table, forest)
    row = table.row({"a": 8.01, "b": 7.02, "c": 6.03, "d": 2.04, "e": 5.05})
    result = explain_row(model, row, "shap")
    explainer = shap.TreeExplainer(
        forest, data=table.take(model.train_rows).to_numpy(), feature_perturbation="interventional"
    )
    np.testing.assert_allclose(result.values, explainer.shap_values(row.to_numpy())[0], atol=2e-5)
    assert np.abs(result.values).max() > 5


@pytest.mark.parametrize("features", [1, 2, 5, 12])
def test_start_and_bars_add_up(features) -> None:
    table = number_table(features)
    model = build_model(table, lambda frame: np.sin(frame.to_numpy()).prod(axis=1) + frame["a"].to_numpy())
    result = explain_row(model, table.take([0]), "shap", params={"background": 10})
    assert result.base + result.values.sum() == pytest.approx(result.score, abs=1e-10)
    assert result.checks[0].name == "sum" and result.checks[0].level == "green"


@pytest.fixture(scope="module")
def ten_features():
    """Ten features, of which only pairs interact."""
    table = number_table(10)
    return build_model(
        table, lambda frame: frame["a"] * frame["b"] - 2 * frame["c"] + frame["d"] * frame["a"] / 3 + frame["j"] ** 2
    )


def test_orders_walked_both_ways_are_exact_where_only_pairs_interact(ten_features) -> None:
    request = build_row_request(ten_features, ten_features.table.take([1]), "shap")
    function = shap_row.ValueFunction(request, request.draw_background(10))
    exact = shap_row.compute_exact(function)
    assert np.abs(exact).max() > 5
    np.testing.assert_allclose(shap_row.estimate_rounds(function, 3), np.tile(exact, (3, 1)), atol=1e-9)
    result = explain_row(ten_features, ten_features.table.take([1]), "shap", params={"background": 10})
    assert result.details["rounds"] == MIN_ROUNDS and result.details["standard_error"] < 1e-9
    assert result.values[4] == pytest.approx(0, abs=1e-9)


def test_random_orders_come_near_the_exact_values_as_they_say() -> None:
    table = number_table(10)
    model = build_model(
        table, lambda frame: 20 * (frame.to_numpy() > 4).all(axis=1) + frame.to_numpy()[:, :5].max(axis=1)
    )
    request = build_row_request(model, table.row(dict.fromkeys(table.features, 6.0)), "shap")
    function = shap_row.ValueFunction(request, request.draw_background(20))
    exact = shap_row.compute_exact(function)
    values, error, rounds = shap_row.estimate_until_steady(function, 200, 0.03)
    assert MIN_ROUNDS < rounds < 200
    assert np.abs(values - exact).max() < 5 * error and error <= 0.03 * np.abs(values).max()
    _, larger, fewest = shap_row.estimate_until_steady(function, MIN_ROUNDS, 0.0)
    assert larger > error and fewest == MIN_ROUNDS


def test_many_features_are_walked_in_parts(monkeypatch, ten_features) -> None:
    whole, parts = (build_row_request(ten_features, ten_features.table.take([1]), "shap") for _ in range(2))
    result = shap_row.estimate_rounds(shap_row.ValueFunction(whole, whole.draw_background(10)), 2)
    monkeypatch.setattr(shap_row, "MAX_BATCH_CELLS", 700)  # three background rows at a time
    np.testing.assert_allclose(
        shap_row.estimate_rounds(shap_row.ValueFunction(parts, parts.draw_background(10)), 2), result, atol=1e-9
    )


def test_the_seed_decides() -> None:
    table = number_table(10)
    model = build_model(table, lambda frame: frame.to_numpy().max(axis=1))
    first, same, different = (
        explain_row(model, table.take([0]), "shap", seed=seed, params={"background": 20}).values for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - different).max() > 1e-6


def test_it_stops_within_a_batch(ten_features) -> None:
    job = Job()
    cancelling = build_model(ten_features.table, lambda frame: job.cancel() or frame["a"])
    with pytest.raises(Cancelled):
        explain_row(cancelling, ten_features.table.take([0]), "shap", job=job)
    assert job.done <= 8192


def test_progress_ends_at_the_rows_asked(ten_features) -> None:
    job = Job()
    explain_row(ten_features, ten_features.table.take([0]), "shap", params={"background": 10}, job=job)
    assert job.done == job.total == 1 + 10 + 4 * 2 * 9 * 10
