"""Partial dependence against scikit-learn's, the short cut through boosted trees against plain prediction, and what is said about data."""

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
from xai_core.tabular.inspection.quickscorer import TreeBits
from xai_core.tabular.models.table_model import TabularModel, resolve_model
from xai_core.tabular.models.train import train

SMALL = {"max_iter": 12, "random_state": 0}


def numbers(rows: int = 300, missing: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.normal(size=(rows, 5)), columns=list("abcde"))
    frame["d"] = rng.integers(0, 6, rows).astype(float)
    if missing:
        frame.loc[::7, "b"] = np.nan
    return frame


def answers(frame: pd.DataFrame) -> Any:
    return frame["a"] * frame["c"] + np.sin(2 * frame["b"].fillna(1.0)) + 0.3 * frame["d"]


def classes_of(frame: pd.DataFrame, count: int) -> Any:
    return pd.qcut(answers(frame), count, labels=False).to_numpy()


def boosted(kind: str) -> tuple[Any, Table]:
    frame = numbers(missing=kind == "missing")
    if kind == "value":
        return HistGradientBoostingRegressor(**SMALL).fit(frame, answers(frame)), table_from(frame, answers(frame))
    count = 3 if kind == "three classes" else 2
    target = classes_of(frame, count)
    return HistGradientBoostingClassifier(**SMALL).fit(frame, target), table_from(
        frame, target, classes=list("xyz")[:count]
    )


@pytest.fixture(scope="module")
def loan() -> TabularModel:
    return train(load_table("loan"))


@pytest.mark.parametrize("feature", ["a", "d"], ids=["evenly spaced", "values that occur"])
@pytest.mark.parametrize("kind", ["two classes", "three classes", "value"])
def test_partial_dependence_is_scikit_learns(kind: str, feature: str) -> None:
    model, table = boosted(kind)
    found = tables.partial_dependence(model, feature, table=table, grid=25)
    right = by_sklearn(model, table.frame, [feature], kind="both", method="brute", grid_resolution=25)
    last = len(table.classes) - 1 if len(table.classes) > 2 else 0
    np.testing.assert_array_equal(found.grid, right["grid_values"][0])
    assert np.ptp(right["average"][last]) > 0.02, "an effect that is flat would prove nothing"
    np.testing.assert_allclose(found.average, right["average"][last], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.individual, right["individual"][last], rtol=0, atol=1e-10)


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
    frame = numbers(120)
    table = table_from(frame, classes_of(frame, 2), classes=["no", "yes"])
    data = frame if with_names else frame.to_numpy()
    model = estimator.fit(data, table.target)
    right = by_sklearn(
        model, data, [0], kind="both", method="brute", grid_resolution=20, response_method="predict_proba"
    )
    for batch in (50, 120, 1_000):
        monkeypatch.setattr(scoring, "BATCH", batch)
        found = tables.partial_dependence(model, "a", table=table, grid=20)
        np.testing.assert_allclose(found.individual, right["individual"][0], rtol=0, atol=1e-10)
        np.testing.assert_allclose(found.average, right["average"][0], rtol=0, atol=1e-10)
    other = tables.partial_dependence(model, "a", table=table, grid=20, outcome=0)
    np.testing.assert_allclose(other.average, 1 - right["average"][0], rtol=0, atol=1e-10)
    assert (found.outcome, other.outcome) == ("probability of yes", "probability of no")


@pytest.mark.parametrize("feature", ["income", "late payments", "owns home", "district"])
def test_a_pipeline_over_all_kinds_of_columns_is_scikit_learns(loan: TabularModel, feature: str) -> None:
    frame = loan.table.frame
    found = tables.partial_dependence(loan, feature)
    named = ["employment", "purpose", "district", "group"]
    right = by_sklearn(
        loan.estimator, frame, [feature], categorical_features=named, kind="both", method="brute", grid_resolution=50
    )
    np.testing.assert_array_equal(found.grid, right["grid_values"][0])
    np.testing.assert_allclose(found.average, right["average"][0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.individual, right["individual"][0], rtol=0, atol=1e-10)
    assert found.categorical == (feature == "district")


@pytest.mark.parametrize("pair", [("income", "debt"), ("district", "late payments")])
def test_two_features_are_scikit_learns(loan: TabularModel, pair: tuple[str, str]) -> None:
    found = tables.partial_dependence_2d(loan, pair, grid=6)
    right = by_sklearn(
        loan.estimator,
        loan.table.frame,
        list(pair),
        categorical_features=["district"],
        method="brute",
        grid_resolution=6,
    )
    np.testing.assert_allclose(found.average, right["average"][0], rtol=0, atol=1e-10)
    assert [len(grid) for grid in found.grids] == list(found.average.shape)


@pytest.mark.parametrize("kind", ["two classes", "three classes", "value", "missing"])
def test_the_short_cut_is_taken_and_gives_what_prediction_gives(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, table = boosted(kind)
    asked = resolve_model(model, table)[0]
    variants = {"b": np.array([-9.0, -0.3, 0.2, 0.21, 9.0]), "c": np.array([1.0, -1.0, 0.0, 0.5, np.nan])}
    outcome = 0 if table.classes else None
    assert TreeBits.of(asked, table.frame, variants, outcome) is not None
    monkeypatch.setattr(scoring, "BLOCK", 70)
    quick = np.concatenate([found for _, found in scoring.variant_scores(asked, table.frame, variants, outcome, Job())])
    plain = np.concatenate([found for _, found in scoring._by_prediction(asked, table.frame, variants, outcome, Job())])
    assert np.ptp(plain, axis=1).min() > 0
    np.testing.assert_allclose(quick, plain, rtol=0, atol=1e-12)


def test_the_short_cut_is_refused_where_it_would_be_wrong_or_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = numbers()
    table = table_from(frame, answers(frame))
    variants = {"a": np.linspace(-1, 1, 9)}

    def taken(model: Any) -> bool:
        return (
            TreeBits.of(resolve_model(model.fit(frame, np.exp(answers(frame))), table)[0], frame, variants, None)
            is not None
        )

    assert taken(HistGradientBoostingRegressor(**SMALL))
    assert not taken(HistGradientBoostingRegressor(**SMALL, loss="poisson")), "its trees add up to a logarithm"
    assert not taken(HistGradientBoostingRegressor(**SMALL, max_leaf_nodes=100, min_samples_leaf=1)), (
        "more leaves than bits"
    )
    assert not taken(HistGradientBoostingRegressor(**SMALL, categorical_features=["d"])), (
        "it splits by sets of categories"
    )
    assert not taken(LinearRegression())
    honest = quickscorer._tree
    monkeypatch.setattr(
        quickscorer, "_tree", lambda *given: quickscorer._Tree(honest(*given).masks, honest(*given).leaves[::-1])
    )
    assert not taken(HistGradientBoostingRegressor(**SMALL)), (
        "another version of scikit-learn may keep its trees otherwise"
    )


def test_only_a_sample_of_lines_is_kept_but_the_average_is_over_all_rows() -> None:
    model, table = boosted("two classes")
    every = tables.partial_dependence(model, "a", table=table, grid=10)
    some = tables.partial_dependence(model, "a", table=table, grid=10, sample=20, seed=3)
    np.testing.assert_array_equal(some.average, every.average)
    assert every.individual is not None
    np.testing.assert_array_equal(some.individual, every.individual[some.rows])
    assert len(set(some.rows.tolist())) == 20
    assert "20 lines of 300 rows are kept, drawn at random; the average uses all rows." in some.notes
    again, other = (
        tables.partial_dependence(model, "a", table=table, grid=10, sample=20, seed=seed).rows for seed in (3, 4)
    )
    assert np.array_equal(again, some.rows) and not np.array_equal(other, some.rows)
    average = tables.partial_dependence(model, "a", table=table, grid=10, kind="average")
    assert average.individual is None and average.centred_lines is None
    part = tables.partial_dependence(model, "a", table=table, grid=10, rows=[7, 2, 250])
    assert part.rows.tolist() == [7, 2, 250]
    right = by_sklearn(
        model, table.frame.iloc[[7, 2, 250]], ["a"], method="brute", grid_resolution=10, custom_values={"a": part.grid}
    )
    np.testing.assert_allclose(part.average, right["average"][0], rtol=0, atol=1e-12)


def test_centred_lines_start_at_zero_and_keep_their_shape() -> None:
    model, table = boosted("value")
    found = tables.partial_dependence(model, "a", table=table)
    assert found.individual is not None and found.centred_lines is not None
    assert not found.centred_lines[:, 0].any() and found.centred_average[0] == 0
    np.testing.assert_allclose(np.diff(found.centred_lines), np.diff(found.individual), atol=1e-12)
    np.testing.assert_allclose(found.centred_lines.mean(axis=0), found.centred_average, atol=1e-12)


def test_where_no_data_lie_is_said() -> None:
    values = np.concatenate([np.linspace(0, 1, 150), np.linspace(9, 10, 150)])
    table = table_from(pd.DataFrame({"a": values, "b": np.arange(300.0)}), values)
    found = tables.partial_dependence(build_model(table, lambda frame: frame["a"]), "a", table=table, grid=41)
    np.testing.assert_array_equal(found.empty, (found.grid > 1.3) & (found.grid < 8.7))
    assert found.distribution.counts.sum() == 300
    assert found.distribution.counts[5:-5].sum() == 0
    assert (found.distribution.edges[0], found.distribution.edges[-1]) == (0, 10)
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
    model, table = boosted("two classes")
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
    for kind, words, given, options in refused:
        with pytest.raises(kind, match=words):
            tables.partial_dependence(model, table=given, **({"feature": "a"} | options))
    with pytest.raises(InvalidParam, match="two different features"):
        tables.partial_dependence_2d(model, ("a", "a"), table=table)
    with pytest.raises(InvalidParam, match=r"fitted scikit-learn estimator\. Got 'str'"):
        tables.partial_dependence("gradient_boosting", "a", table=table)


@pytest.mark.parametrize(
    "estimator", [HistGradientBoostingRegressor(**SMALL), LinearRegression()], ids=["short cut", "prediction"]
)
def test_a_job_counts_to_its_end_and_can_be_stopped(estimator: Any) -> None:
    frame = numbers()
    table = table_from(frame, answers(frame))
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
    a, other = rng.uniform(size=(2, 2000))
    frame = pd.DataFrame({"a": a, "same": a**3, "against": -a + 0.2 * rng.normal(size=2000), "other": other})
    frame["half"] = pd.Series(np.where(a > 0.5, "high", "low"), dtype=object)
    frame["copy"] = frame["half"].map({"high": "up", "low": "down"}).astype(object)
    frame["coin"] = pd.Series(rng.choice(["heads", "tails"], 2000), dtype=object)
    table = table_from(frame, a)
    found = tables.measure_extrapolation(table, "a")
    assert found.correlations["same"] == pytest.approx(1) and found.correlations["other"] == pytest.approx(
        spearmanr(a, other)[0]
    )
    assert (
        found.correlations["against"] == pytest.approx(spearmanr(a, frame["against"])[0])
        and found.correlations["against"] < -0.8
    )
    assert found.correlations["half"] == pytest.approx(0.866, abs=0.01), (
        "three quarters of the ranks' variance lie between the halves"
    )
    assert abs(found.correlations["coin"]) < 0.1
    assert found.partner == "same" and found.share == pytest.approx(0.9), (
        "of ten times ten parts only the ten on the diagonal exist"
    )
    assert found.sentence.startswith("a goes together with same (ρ = 1.00)")
    assert found.sentence.endswith("About 90% of these combinations do not exist in your data.")
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
