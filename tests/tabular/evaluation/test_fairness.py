"""Groups against counts by hand and textbook formulas; proxies against columns of known predictive power."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.tabular.closed_form_models import all_kinds_table, build_model, number_table
from xai_core.errors import InvalidParam, UnknownName
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.data.table import table_from
from xai_core.tabular.evaluation.fairness import group_scores, proxies


def wilson_interval(hits: int, count: int) -> tuple[float, float]:
    """Return the interval as in the textbook."""
    z, share = 1.959963984540054, hits / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return middle - reach, middle + reach


@pytest.fixture(scope="module")
def colour_model():
    """Colours that are treated unlike: red rows get a yes over an income of 2,000, others over 3,500."""
    table = all_kinds_table(rows=400)
    threshold = lambda frame: np.where(frame["colour"] == "red", 2000, 3500)  # noqa: E731
    return build_model(table, lambda frame: np.where(frame["income"] > threshold(frame), 0.8, 0.1))


def test_counts_rates_and_errors_equal_a_count_by_hand(colour_model) -> None:
    table, rows = colour_model.table, np.arange(400)
    result = group_scores(colour_model, table, "colour", rows)
    assert {group.name for group in result.groups} == {"red", "green", "blue", "missing"}
    assert sum(group.count for group in result.groups) == 400
    for group in result.groups:
        members = [
            r
            for r in rows
            if (
                table.frame["colour"][r] == group.name
                or (group.name == "missing" and pd.isna(table.frame["colour"][r]))
            )
        ]
        predicted = {r: colour_model.predict(table.take([r]))[0, 1] > 0.5 for r in members}
        without, with_ = [r for r in members if table.target[r] == 0], [r for r in members if table.target[r] == 1]
        hits = sum(predicted.values())
        assert group.count == len(members) == group.positive.count
        assert group.positive.value == pytest.approx(hits / len(members))
        assert (group.positive.low, group.positive.high) == pytest.approx(wilson_interval(hits, len(members)))
        assert group.false_positive.value == pytest.approx(sum(predicted[r] for r in without) / len(without))
        assert group.false_negative.value == pytest.approx(sum(not predicted[r] for r in with_) / len(with_))
        assert (group.false_positive.count, group.false_negative.count) == (len(without), len(with_))
        assert group.actual.value == pytest.approx(len(with_) / len(members))
        scores = colour_model.score(table.take(members))
        assert group.mean_score.value == pytest.approx(scores.mean())
        half = 1.98 * scores.std(ddof=1) / np.sqrt(len(members))
        assert group.mean_score.high - group.mean_score.value == pytest.approx(half, rel=0.03)


def test_an_unlike_treatment_is_named_and_not_called_unfair(colour_model) -> None:
    result = group_scores(colour_model, colour_model.table, "colour", np.arange(400))
    assert result.p_value < 1e-4
    assert "colour red" in result.sentence and "hardly chance" in result.sentence and "cannot say" in result.sentence


def test_chance_equals_the_chi_squared_formula(colour_model) -> None:
    from scipy.stats import chi2

    result = group_scores(colour_model, colour_model.table, "owner", np.arange(400))
    counts = np.array(
        [[group.positive.value * group.count, (1 - group.positive.value) * group.count] for group in result.groups]
    )
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    assert result.p_value == pytest.approx(chi2.sf(((counts - expected) ** 2 / expected).sum(), 1))
    assert result.p_value > 0.05 and "can well be chance" in result.sentence
    assert [group.name for group in result.groups] == ["no", "yes"]


def test_numbers_are_cut_into_groups_of_about_equal_size(colour_model) -> None:
    result = group_scores(colour_model, colour_model.table, "income", np.arange(400))
    assert [group.count for group in result.groups] == pytest.approx([100] * 4, abs=3)
    assert result.groups[0].name.startswith("up to ") and result.groups[-1].name.startswith("over ")
    assert [round(group.positive.value) for group in result.groups] == [0, 0, 1, 1]


def test_the_rows_held_out_are_looked_at_unless_others_are_named(colour_model) -> None:
    assert sum(group.count for group in group_scores(colour_model, colour_model.table, "owner").groups) == len(
        colour_model.test_rows
    )


def test_few_rows_are_not_made_much_of(colour_model) -> None:
    result = group_scores(colour_model, colour_model.table, "colour", range(12))
    assert np.isnan(result.p_value) and "too few rows" in result.sentence
    assert result.notes and "say little" in result.notes[0]


def test_a_group_without_true_outcomes_has_no_rate_of_misses() -> None:
    table = all_kinds_table(truth=lambda frame: frame["owner"])
    result = group_scores(build_model(table, lambda frame: np.full(len(frame), 0.6)), table, "owner")
    no, yes = result.groups
    assert np.isnan(no.false_negative.value) and no.false_negative.count == 0
    assert (yes.false_negative.value, no.false_positive.value) == (0, 1)


def test_one_group_cannot_be_compared() -> None:
    table = table_from(pd.DataFrame({"a": ["x"] * 40, "b": np.arange(40.0)}), np.arange(40) % 2, classes=("no", "yes"))
    result = group_scores(build_model(table, lambda frame: frame["b"] / 40), table, "a")
    assert "nothing to compare" in result.sentence


def test_a_regression_is_judged_by_its_errors() -> None:
    table = number_table(rows=400)
    model = build_model(table, lambda frame: np.where(frame["a"] > 5, 3.0, 0.0))
    result = group_scores(model, table, "a", np.arange(400), bins=2)
    truth = table.target
    assert [group.error.value for group in result.groups] == pytest.approx(
        [0 - truth[:200].mean(), 3 - truth[200:].mean()], abs=0.3
    )
    assert result.groups[1].error.value > 2 and result.p_value < 1e-6
    assert result.groups[0].positive is None and "is off by" in result.sentence


def test_many_categories_are_put_together() -> None:
    frame = pd.DataFrame({"name": [f"n{i % 40}" for i in range(200)], "b": np.arange(200.0)})
    table = table_from(frame, np.arange(200) % 2, classes=("no", "yes"))
    result = group_scores(build_model(table, lambda frame: frame["b"] / 200), table, "name", np.arange(200))
    assert len(result.groups) == 12 and result.groups[-1].name == "all others"
    assert sum(group.count for group in result.groups) == 200


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"column": "color"}, UnknownName, "colour"),
        ({"bins": 1}, InvalidParam, "Got '1'"),
        ({"rows": []}, InvalidParam, "no rows"),
    ],
)
def test_refused_in_words(colour_model, change, error, words) -> None:
    with pytest.raises(error, match=words):
        group_scores(colour_model, colour_model.table, **({"column": "colour"} | change))


@pytest.fixture(scope="module")
def proxy_table():
    """A group, and columns that tell it always, mostly, only by a band of numbers, and never."""
    rng = np.random.default_rng(5)
    group = rng.integers(0, 2, 600)
    return table_from(
        pd.DataFrame(
            {
                "group": np.where(group, "A", "B"),
                "copy": np.where(group, "q", "p"),
                "mostly": np.where(rng.random(600) < 0.9, group, 1 - group),
                "band": np.where(group, rng.uniform(4, 6, 600), rng.choice([-1, 1], 600) * rng.uniform(2, 5, 600) + 5),
                "never": rng.normal(size=600),
                "number": [f"id{i}" for i in range(600)],
            }
        ),
        np.zeros(600),
    )


def test_proxies_are_ranked_by_how_well_they_tell_the_group(proxy_table) -> None:
    result = proxies(proxy_table, "group")
    strength = {proxy.column: proxy.association for proxy in result.ranked}
    assert strength["copy"] == 1 and result.ranked[0].column == "copy"
    assert strength["mostly"] == pytest.approx(0.8, abs=0.06)
    assert strength["band"] > 0.95
    assert strength["never"] < 0.12 and strength["number"] < 0.12
    assert result.together == pytest.approx(1) and result.sentence.startswith("copy gives group away best: 100 %")


def test_a_column_of_numbers_can_be_given_away_too(proxy_table) -> None:
    result = proxies(proxy_table, "band")
    assert result.ranked[0].column in ("group", "copy") and 0.2 < result.ranked[0].association < 0.9


def test_the_loan_tables_district_gives_the_group_away() -> None:
    result = proxies(load_table("loan"), "group")
    assert result.ranked[0].column == "district" and result.ranked[0].association > 0.5
    assert result.ranked[1].association < 0.2
    assert result.together >= result.ranked[0].association


def test_a_column_of_one_group_is_refused() -> None:
    table = table_from(pd.DataFrame({"a": ["x"] * 40, "b": np.arange(40.0)}), np.zeros(40))
    with pytest.raises(InvalidParam, match="two groups"):
        proxies(table, "a")
