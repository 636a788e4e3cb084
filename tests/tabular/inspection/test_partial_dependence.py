"""Partial dependence against scikit-learn's, QuickScorer against plain prediction, and the notes about data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.inspection import partial_dependence as by_sklearn
from sklearn.linear_model import LinearRegression, LogisticRegression

import xai_core.tabular as tables
from tests.tabular.closed_form_models import build_model
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, NotApplicable, UnknownName
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.data.table import Table, table_from
from xai_core.tabular.inspection import quickscorer, scoring
from xai_core.tabular.models.table_model import TabularModel, resolve_model
from xai_core.tabular.models.train import train

SMALL = {"max_iter": 12, "random_state": 0}


def number_frame(rows: int = 300, missing: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.normal(size=(rows, 5)), columns=list("abcde"))
    frame["d"] = rng.integers(0, 6, rows).astype(float)
    if missing:
        frame.loc[::7, "b"] = np.nan
    return frame


def target_of(frame: pd.DataFrame) -> Any:
    return frame["a"] * frame["c"] + np.sin(2 * frame["b"].fillna(1.0)) + 0.3 * frame["d"]


def cut_into_classes(frame: pd.DataFrame, count: int) -> Any:
    return pd.qcut(target_of(frame), count, labels=False).to_numpy()


def fit_boosting(kind: str) -> tuple[Any, Table]:
    frame = number_frame(missing=kind == "missing")
    if kind == "value":
        return HistGradientBoostingRegressor(**SMALL).fit(frame, target_of(frame)), table_from(frame, target_of(frame))
    count = 3 if kind == "three classes" else 2
    target = cut_into_classes(frame, count)
    return HistGradientBoostingClassifier(**SMALL).fit(frame, target), table_from(
        frame, target, classes=list("xyz")[:count]
    )


@pytest.fixture(scope="module")
def loan() -> TabularModel:
    return train(load_table("loan"))


@pytest.mark.parametrize("feature", ["a", "d"], ids=["evenly spaced", "values that occur"])
@pytest.mark.parametrize("kind", ["two classes", "three classes", "value"])
def test_partial_dependence_is_scikit_learns(kind: str, feature: str) -> None:
    model, table = fit_boosting(kind)
    result = tables.partial_dependence(model, feature, table=table, grid=25)
    expected = by_sklearn(model, table.frame, [feature], kind="both", method="brute", grid_resolution=25)
    last = len(table.classes) - 1 if len(table.classes) > 2 else 0
    np.testing.assert_array_equal(result.grid, expected["grid_values"][0])
    assert np.ptp(expected["average"][last]) > 0.02, "an effect that is flat would prove nothing"
    np.testing.assert_allclose(result.average, expected["average"][last], rtol=0, atol=1e-10)
    np.testing.assert_allclose(result.individual, expected["individual"][last], rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("estimator", "with_names"),
    [
        (RandomForestClassifier(8, max_depth=5, random_state=0), True),
        (LogisticRegression(), True),
        (LogisticRegression(), False),
    ],
    ids=["forest", "names", "no names"],
)
def test_other_models_are_predicted_in_batches(
    estimator: Any, with_names: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = number_frame(120)
    table = table_from(frame, cut_into_classes(frame, 2), classes=["no", "yes"])
    data = frame if with_names else frame.to_numpy()
    model = estimator.fit(data, table.target)
    expected = by_sklearn(
        model, data, [0], kind="both", method="brute", grid_resolution=20, response_method="predict_proba"
    )
    for batch in (50, 120, 1_000):
        monkeypatch.setattr(scoring, "BATCH", batch)
        result = tables.partial_dependence(model, "a", table=table, grid=20)
        np.testing.assert_allclose(result.individual, expected["individual"][0], rtol=0, atol=1e-10)
        np.testing.assert_allclose(result.average, expected["average"][0], rtol=0, atol=1e-10)
    first_class = tables.partial_dependence(model, "a", table=table, grid=20, outcome=0)
    np.testing.assert_allclose(first_class.average, 1 - expected["average"][0], rtol=0, atol=1e-10)
    assert (result.outcome, first_class.outcome) == ("probability of yes", "probability of no")


@pytest.mark.parametrize("feature", ["income", "late payments", "owns home", "district"])
def test_a_pipeline_over_all_kinds_of_columns_is_scikit_learns(loan: TabularModel, feature: str) -> None:
    frame = loan.table.frame
    result = tables.partial_dependence(loan, feature)
    categories = ["employment", "purpose", "district", "group"]
    expected = by_sklearn(
        loan.estimator,
        frame,
        [feature],
        categorical_features=categories,
        kind="both",
        method="brute",
        grid_resolution=50,
    )
    np.testing.assert_array_equal(result.grid, expected["grid_values"][0])
    np.testing.assert_allclose(result.average, expected["average"][0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(result.individual, expected["individual"][0], rtol=0, atol=1e-10)
    assert result.categorical == (feature == "district")


@pytest.mark.parametrize("pair", [("income", "debt"), ("district", "late payments")])
def test_two_features_are_scikit_learns(loan: TabularModel, pair: tuple[str, str]) -> None:
    result = tables.partial_dependence_2d(loan, pair, grid=6)
    expected = by_sklearn(
        loan.estimator,
        loan.table.frame,
        list(pair),
        categorical_features=["district"],
        method="brute",
        grid_resolution=6,
    )
    np.testing.assert_allclose(result.average, expected["average"][0], rtol=0, atol=1e-10)
    assert [len(grid) for grid in result.grids] == list(result.average.shape)


@pytest.mark.parametrize("kind", ["two classes", "three classes", "value", "missing"])
def test_the_short_cut_is_taken_and_gives_what_prediction_gives(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, table = fit_boosting(kind)
    fitted = resolve_model(model, table)[0]
    variants = {"b": np.array([-9.0, -0.3, 0.2, 0.21, 9.0]), "c": np.array([1.0, -1.0, 0.0, 0.5, np.nan])}
    outcome = 0 if table.classes else None
    assert scoring.build_quick_scorer(fitted, table.frame, variants, outcome) is not None
    monkeypatch.setattr(scoring, "BLOCK", 70)
    blocks = scoring.iter_scores(fitted, table.frame, variants, outcome, Job())
    quick = np.concatenate([scores for _, scores in blocks])
    plain = scoring.predict_variants(fitted, table.frame, variants, outcome, Job())
    assert np.ptp(plain, axis=1).min() > 0
    np.testing.assert_allclose(quick, plain, rtol=0, atol=1e-12)


def test_the_short_cut_is_refused_where_it_would_be_wrong_or_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = number_frame()
    table = table_from(frame, target_of(frame))
    variants = {"a": np.linspace(-1, 1, 9)}

    def has_short_cut(model: Any) -> bool:
        fitted = resolve_model(model.fit(frame, np.exp(target_of(frame))), table)[0]
        return scoring.build_quick_scorer(fitted, frame, variants, None) is not None

    assert has_short_cut(HistGradientBoostingRegressor(**SMALL))
    assert not has_short_cut(HistGradientBoostingRegressor(**SMALL, loss="poisson")), "its trees add up to a logarithm"
    assert not has_short_cut(HistGradientBoostingRegressor(**SMALL, max_leaf_nodes=100, min_samples_leaf=1)), (
        "more leaves than bits"
    )
    assert not has_short_cut(HistGradientBoostingRegressor(**SMALL, categorical_features=["d"])), (
        "it splits by sets of categories"
    )
    assert not has_short_cut(LinearRegression())
    encode_tree = quickscorer.encode_tree

    def encode_backwards(*args: Any) -> quickscorer.BitTree:
        tree = encode_tree(*args)
        return quickscorer.BitTree(tree.masks, tree.leaves[::-1])

    monkeypatch.setattr(quickscorer, "encode_tree", encode_backwards)
    assert not has_short_cut(HistGradientBoostingRegressor(**SMALL)), (
        "another version of scikit-learn may keep its trees otherwise"
    )


def test_only_a_sample_of_lines_is_kept_but_the_average_is_over_all_rows() -> None:
    model, table = fit_boosting("two classes")
    full = tables.partial_dependence(model, "a", table=table, grid=10)
    sampled = tables.partial_dependence(model, "a", table=table, grid=10, sample=20, seed=3)
    np.testing.assert_array_equal(sampled.average, full.average)
    assert full.individual is not None
    np.testing.assert_array_equal(sampled.individual, full.individual[sampled.rows])
    assert len(set(sampled.rows.tolist())) == 20
    assert "20 lines of 300 rows are kept, drawn at random; the average uses all rows." in sampled.notes
    same, different = (
        tables.partial_dependence(model, "a", table=table, grid=10, sample=20, seed=seed).rows for seed in (3, 4)
    )
    assert np.array_equal(same, sampled.rows) and not np.array_equal(different, sampled.rows)
    average = tables.partial_dependence(model, "a", table=table, grid=10, kind="average")
    assert average.individual is None and average.centred_lines is None
    part = tables.partial_dependence(model, "a", table=table, grid=10, rows=[7, 2, 250])
    assert part.rows.tolist() == [7, 2, 250]
    expected = by_sklearn(
        model, table.frame.iloc[[7, 2, 250]], ["a"], method="brute", grid_resolution=10, custom_values={"a": part.grid}
    )
    np.testing.assert_allclose(part.average, expected["average"][0], rtol=0, atol=1e-12)


def test_centred_lines_start_at_zero_and_keep_their_shape() -> None:
    model, table = fit_boosting("value")
    result = tables.partial_dependence(model, "a", table=table)
    assert result.individual is not None and result.centred_lines is not None
    assert not result.centred_lines[:, 0].any() and result.centred_average[0] == 0
    np.testing.assert_allclose(np.diff(result.centred_lines), np.diff(result.individual), atol=1e-12)
    np.testing.assert_allclose(result.centred_lines.mean(axis=0), result.centred_average, atol=1e-12)


def test_where_no_data_lie_is_said() -> None:
    values = np.concatenate([np.linspace(0, 1, 150), np.linspace(9, 10, 150)])
    table = table_from(pd.DataFrame({"a": values, "b": np.arange(300.0)}), values)
    result = tables.partial_dependence(build_model(table, lambda frame: frame["a"]), "a", table=table, grid=41)
    np.testing.assert_array_equal(result.empty, (result.grid > 1.3) & (result.grid < 8.7))
    assert result.distribution.counts.sum() == 300
    assert result.distribution.counts[5:-5].sum() == 0
    assert (result.distribution.edges[0], result.distribution.edges[-1]) == (0, 10)
    flat = tables.partial_dependence_2d(build_model(table, lambda frame: frame["a"]), ("a", "b"), table=table, grid=5)
    assert flat.empty[0, -1] and flat.empty[-1, 0] and not flat.empty[0, 0] and not flat.empty[-1, -1]
    assert 0.4 < flat.extrapolation_share < 0.95


def test_grids_of_odd_columns() -> None:
    mostly_zero = np.concatenate([np.zeros(990), np.arange(1.0, 11.0)])
    many = pd.Series([f"kind {number % 40:02d}" for number in range(1000)], dtype=object)
    many[:30] = "often"
    table = table_from(
        pd.DataFrame({"rare": mostly_zero, "many": many, "gaps": np.where(mostly_zero > 0, np.nan, 1.0)}), mostly_zero
    )
    model = build_model(table, lambda frame: frame["rare"].fillna(0.0))
    rare = tables.partial_dependence(model, "rare", table=table, grid=8)
    np.testing.assert_allclose(rare.grid, np.linspace(0, 10, 8))
    assert "Nearly all rows have the same value" in rare.notes[0]
    names = tables.partial_dependence(model, "many", table=table, grid=7)
    assert len(names.grid) == 7 and "often" in names.grid and list(names.grid) == sorted(names.grid)
    assert names.notes[0] == "Only the 7 most frequent of 41 categories are shown."
    assert tables.partial_dependence(model, "gaps", table=table).grid.tolist() == [1.0]


def test_what_cannot_be_asked_is_refused_in_words() -> None:
    model, table = fit_boosting("two classes")
    nothing = table_from(table.frame.assign(e=np.nan), table.target, classes=["no", "yes"])
    refused = [
        (UnknownName, "no feature called 'f'", table, {"feature": "f"}),
        (InvalidParam, "grid must have from 2 to 200 points. Got 1", table, {"grid": 1}),
        (InvalidParam, "one of both, average, individual", table, {"kind": "all"}),
        (InvalidParam, "class number from 0 to 1. Got '2'", table, {"outcome": 2}),
        (InvalidParam, "whole numbers from 0 to 299", table, {"rows": [300]}),
        (InvalidParam, "whole numbers from 0 to 299", table, {"rows": []}),
        (InvalidParam, "at least 1 row. Got 0", table, {"sample": 0}),
        (NotApplicable, "'e' has no values", nothing, {"feature": "e"}),
    ]
    for kind, words, own_table, options in refused:
        with pytest.raises(kind, match=words):
            tables.partial_dependence(model, table=own_table, **({"feature": "a"} | options))
    with pytest.raises(InvalidParam, match="two different features"):
        tables.partial_dependence_2d(model, ("a", "a"), table=table)
    with pytest.raises(InvalidParam, match=r"fitted scikit-learn estimator\. Got 'str'"):
        tables.partial_dependence("gradient_boosting", "a", table=table)


@pytest.mark.parametrize(
    "estimator", [HistGradientBoostingRegressor(**SMALL), LinearRegression()], ids=["short cut", "prediction"]
)
def test_a_job_counts_to_its_end_and_can_be_stopped(estimator: Any) -> None:
    frame = number_frame()
    table = table_from(frame, target_of(frame))
    model = estimator.fit(frame, table.target)
    job: Job[Any] = Job()
    before = frame.copy()
    tables.partial_dependence(model, "a", table=table, grid=9, job=job)
    assert job.done == job.total == 9 * 300
    pd.testing.assert_frame_equal(table.frame, before)
    stopped: Job[Any] = Job()
    stopped.cancel()
    with pytest.raises(Cancelled):
        tables.partial_dependence(model, "a", table=table, job=stopped)


def test_features_that_go_together_are_named_with_the_share_that_does_not_exist() -> None:
    rng = np.random.default_rng(0)
    a, independent = rng.uniform(size=(2, 2000))
    frame = pd.DataFrame({"a": a, "same": a**3, "against": -a + 0.2 * rng.normal(size=2000), "other": independent})
    frame["half"] = pd.Series(np.where(a > 0.5, "high", "low"), dtype=object)
    frame["copy"] = frame["half"].map({"high": "up", "low": "down"}).astype(object)
    frame["coin"] = pd.Series(rng.choice(["heads", "tails"], 2000), dtype=object)
    table = table_from(frame, a)
    result = tables.measure_extrapolation(table, "a")
    assert result.correlations["same"] == pytest.approx(1) and result.correlations["other"] == pytest.approx(
        spearmanr(a, independent)[0]
    )
    assert (
        result.correlations["against"] == pytest.approx(spearmanr(a, frame["against"])[0])
        and result.correlations["against"] < -0.8
    )
    assert result.correlations["half"] == pytest.approx(0.866, abs=0.01), (
        "three quarters of the ranks' variance lie between the halves"
    )
    assert abs(result.correlations["coin"]) < 0.1
    assert result.partner == "same" and result.share == pytest.approx(0.9), (
        "of ten times ten parts only the ten on the diagonal exist"
    )
    assert result.sentence.startswith("a goes together with same (ρ = 1.00)")
    assert result.sentence.endswith("About 90 % of these combinations do not exist in your data.")
    half = tables.measure_extrapolation(table, "half")
    assert half.correlations["copy"] == pytest.approx(1, abs=1e-3) and half.correlations["coin"] < 0.1
    assert (
        tables.measure_extrapolation(table, "other").sentence == ""
        and tables.measure_extrapolation(table, "other").share < 0.02
    )
    with pytest.raises(UnknownName):
        tables.measure_extrapolation(table, "b")


def test_chance_alone_makes_no_combination_unreal() -> None:
    rng = np.random.default_rng(1)
    for rows in (50, 150, 5000):
        frame = pd.DataFrame(rng.normal(size=(rows, 2)), columns=["a", "b"])
        assert tables.measure_extrapolation(table_from(frame, frame["a"]), "a").share < 0.05
    lone = table_from(frame[["a"]], frame["a"])
    assert tables.measure_extrapolation(lone, "a").partner == "" and tables.measure_extrapolation(lone, "a").share == 0
