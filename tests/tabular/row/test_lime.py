"""LIME against formulas it must reproduce, a slow rewrite, and its own checks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tests.tabular.closed_form_models import all_kinds_table, build_model, build_row_request, number_table
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, InvalidTable, NotApplicable, UnknownName
from xai_core.tabular.row.explain import explain_row, kernel_widths
from xai_core.tabular.row.methods.lime import WIDTHS, Bins, Sample, fit_surrogate

WEIGHTS = np.array([4.0, -3.0, 2.0, -1.0])


@pytest.fixture(scope="module")
def linear():
    return build_model(number_table(), lambda frame: frame.to_numpy() @ WEIGHTS + 7)


def build_row(table, *values):
    return table.row(dict(zip(table.features, values, strict=True)))


@pytest.mark.parametrize("values", [(9.5, 9.5, 9.5, 9.5), (9.5, 0.5, 9.5, 0.5)])
def test_on_a_linear_model_it_ranks_and_signs_as_the_weights(linear, values) -> None:
    result = explain_row(linear, build_row(linear.table, *values), "lime")
    signs = np.sign(np.array(values) - 5)
    assert list(np.sign(result.values)) == list(np.sign(WEIGHTS * signs))
    assert list(result.order) == [0, 1, 2, 3]


def test_on_a_linear_model_a_bar_is_the_weight_times_the_step_between_piece_and_rest(linear) -> None:
    """The kernel falls apart into one factor a feature, so that the features stay independent under its weights."""
    row = build_row(linear.table, 9.5, 1.0, 4.0, 6.0)
    result = explain_row(linear, row, "lime", params={"samples": 20_000})
    known, own = linear.table.take(linear.train_rows).to_numpy(), row.to_numpy()[0]
    expected = []
    for j, weight in enumerate(WEIGHTS):
        edges = np.quantile(known[:, j], [0.25, 0.5, 0.75])
        inside = np.searchsorted(edges, known[:, j]) == np.searchsorted(edges, own[j])
        expected.append(weight * (known[inside, j].mean() - known[~inside, j].mean()))
    assert np.abs(expected).max() > 10
    np.testing.assert_allclose(result.values, expected, atol=0.35)


def test_equals_a_slow_ridge(linear) -> None:
    request = build_row_request(linear, build_row(linear.table, 9.0, 2.0, 5.0, 5.0), "lime", samples=300)
    sample = Sample.draw(request, 0.6)
    result = fit_surrogate(sample, 0.6)
    design = np.column_stack([sample.same.astype(float), np.ones(300)])
    penalty = np.diag([1.0] * len(WEIGHTS) + [0.0])
    expected = np.linalg.solve(design.T @ design + penalty, design.T @ sample.scores)
    np.testing.assert_allclose([*result.weights, result.constant], expected, rtol=1e-8)
    missed = np.sum((sample.scores - design @ expected) ** 2) / np.sum((sample.scores - sample.scores.mean()) ** 2)
    assert result.r2 == pytest.approx(1 - missed, abs=1e-9)
    assert result.effective_samples == min(min(column.sum(), 300 - column.sum()) for column in sample.same.T)


def test_equals_the_authors_way_of_weighing_samples_from_everywhere() -> None:
    """Samples from all over the table, weighted by the kernel of how many conditions they break, as a slow program."""
    table, width = number_table(3), 0.7
    model = build_model(table, lambda frame: frame["a"] * frame["b"] + 5 * frame["c"])
    row = build_row(table, 9.0, 9.0, 4.0)
    result = explain_row(model, row, "lime", params={"samples": 20_000, "kernel_width": width})
    rng, known = np.random.default_rng(8), table.take(model.train_rows).to_numpy()
    rows = np.column_stack([rng.choice(known[:, j], 60_000) for j in range(3)])
    edges = [np.quantile(known[:, j], [0.25, 0.5, 0.75]) for j in range(3)]
    bin_index = np.column_stack([np.searchsorted(edges[j], rows[:, j]) for j in range(3)])
    same = bin_index == [np.searchsorted(edges[j], row.iloc[0, j]) for j in range(3)]
    weights = np.sqrt(np.exp(-(np.sqrt((~same).sum(axis=1)) ** 2) / width**2))
    expected = Ridge(alpha=1.0).fit(same, rows[:, 0] * rows[:, 1] + 5 * rows[:, 2], sample_weight=weights)
    everywhere = Ridge(alpha=1.0).fit(same, rows[:, 0] * rows[:, 1] + 5 * rows[:, 2])
    assert np.abs(expected.coef_ - everywhere.coef_).max() > 5
    np.testing.assert_allclose(result.values, expected.coef_, atol=1)
    assert result.base == pytest.approx(expected.intercept_, abs=1.5)


def test_the_samples_take_every_cell_from_the_training_rows_on_its_own(linear) -> None:
    frames = []
    model = build_model(linear.table, lambda frame: frames.append(frame.to_numpy()) or frame.to_numpy() @ WEIGHTS)
    row = build_row(model.table, 9.0, 2.0, 5.0, 5.0)
    explain_row(model, row, "lime", params={"samples": 400})
    rows, known = max(frames, key=len), model.table.take(model.train_rows).to_numpy()
    np.testing.assert_array_equal(rows[0], row.to_numpy()[0])
    assert all(np.isin(rows[1:, j], known[:, j]).all() for j in range(4))
    assert not any((known == sample).all(axis=1).any() for sample in rows[1:20])


def test_what_cannot_be_a_sum_gets_a_red_check() -> None:
    table = number_table()
    model = build_model(table, lambda frame: np.sign((frame["a"] - 5) * (frame["b"] - 5) * (frame["c"] - 5)))
    result = explain_row(model, build_row(table, 9.0, 9.0, 9.0, 9.0), "lime", params={"kernel_width": 5.0})
    assert result.details["surrogate_r2"] < 0.3
    assert result.checks[0].level == "red" and "do not rely" in result.checks[0].sentence


def test_a_narrower_kernel_breaks_fewer_conditions_and_says_when_they_are_too_few(linear) -> None:
    request = build_row_request(linear, build_row(linear.table, 9.0, 2.0, 5.0, 5.0), "lime")
    shares = [float((~Sample.draw(request, width).same).mean()) for width in (0.3, 0.5, 1.0, 10.0)]
    assert shares == sorted(shares) and shares[0] < 0.02 and shares[-1] == pytest.approx(0.75, abs=0.02)
    narrow = explain_row(
        linear, build_row(linear.table, 9.0, 2.0, 5.0, 5.0), "lime", params={"kernel_width": 0.3, "samples": 200}
    )
    assert [check.name for check in narrow.checks] == ["surrogate_fit", "neighbourhood"]


def test_the_effect_of_the_kernel_width_can_be_seen(linear) -> None:
    result = kernel_widths(linear, build_row(linear.table, 9.0, 2.0, 5.0, 5.0))
    assert [surrogate.width for surrogate in result] == list(WIDTHS)
    assert result[0].effective_samples < 100 < result[2].effective_samples and result[1].r2 > result[-1].r2
    with pytest.raises(NotApplicable, match="near"):
        kernel_widths(linear, build_row(linear.table, 9.0, 2.0, 5.0, 5.0), "shap")


def test_conditions_in_words() -> None:
    table = all_kinds_table()
    model = build_model(table, lambda frame: np.full(len(frame), 0.5))
    row = table.row({"income": 1100, "rate": None, "colour": "red", "owner": "yes", "day": "2023-01-05"})
    income, rate, colour, owner, day = explain_row(model, row, "lime", params={"samples": 100}).conditions
    assert income.startswith(("income ≤ 1,", "income ≤ 2,"))
    assert (rate, colour, owner) == ("rate is missing", "colour = red", "owner = yes")
    assert " < day ≤ 202" in day or day.startswith("day > 202")


@pytest.mark.parametrize(
    ("own", "words"), [(0.2, "x ≤ 0.30"), (0.3, "x ≤ 0.30"), (0.5, "0.30 < x ≤ 1.30"), (2.0, "x > 1.30")]
)
def test_a_cut_belongs_to_the_piece_below_it(own, words) -> None:
    column = number_table(1).columns[0]
    bins = Bins(type(column)("x", "numeric", 0, 0.0, 3.0, False, ()), np.array([0.3, 1.3]))
    assert bins.describe(own) == words
    assert bins.match(np.array([own, np.nan]), own).tolist() == [True, False]


def test_a_condition_that_no_training_row_holds_is_told_of_by_the_rows_own_value() -> None:
    table = all_kinds_table()
    model = build_model(table, lambda frame: np.where(frame["income"].isna(), 0.9, 0.1))
    result = explain_row(model, table.row({"rate": 0.5, "colour": "red", "owner": "yes", "day": "2023-01-05"}), "lime")
    assert result.conditions[0] == "income is missing" and result.details["effective_samples"] > 100
    assert result.values[0] == pytest.approx(0.8, abs=0.01) and result.checks[0].level == "green"


def test_a_column_of_one_value_has_one_piece() -> None:
    column = number_table(1).columns[0]
    bins = Bins.of(column, np.full(9, 2.0), 4)
    assert bins.describe(2.0) == "a = 2.00" and bins.match(np.array([2.0, 3.0]), 2.0).tolist() == [True, False]


def test_a_model_that_always_says_the_same_has_no_bars() -> None:
    table = all_kinds_table()
    result = explain_row(build_model(table, lambda frame: np.full(len(frame), 0.5)), table.take([3]), "lime")
    assert not np.abs(result.values).max() > 1e-12
    assert result.score == 0.5 and np.isfinite(result.details["surrogate_r2"])


def test_the_seed_decides_and_the_shared_generators_are_left_alone(linear) -> None:
    row = build_row(linear.table, 9.0, 2.0, 5.0, 5.0)
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    first, same, different = (
        explain_row(linear, row, "lime", seed=seed, params={"samples": 200}).values for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - different).max() > 1e-3
    np.testing.assert_array_equal(before, np.random.get_state()[1])


def test_a_numpy_integer_is_a_seed_like_any_other(linear) -> None:
    row = build_row(linear.table, 9.0, 2.0, 5.0, 5.0)
    plain, numpy = (explain_row(linear, row, "lime", seed=seed, params={"samples": 200}) for seed in (3, np.int64(3)))
    np.testing.assert_array_equal(plain.values, numpy.values)
    assert numpy.seed == 3 and type(numpy.seed) is int


def test_it_stops_when_asked(linear) -> None:
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        explain_row(linear, build_row(linear.table, 9.0, 2.0, 5.0, 5.0), "lime", job=job)


def test_progress_counts_the_rows(linear) -> None:
    job = Job()
    explain_row(linear, build_row(linear.table, 9.0, 2.0, 5.0, 5.0), "lime", params={"samples": 700}, job=job)
    assert (job.done, job.total) == (700, 700)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"method": "limes"}, UnknownName, "lime"),
        ({"params": {"samples": 5}}, InvalidParam, "Got '5'"),
        ({"params": {"width": 5}}, UnknownName, "kernel_width"),
        ({"seed": -1}, InvalidParam, "Got '-1'"),
        ({"rows": 2}, InvalidTable, "Got 2 rows"),
        ({"without": "b"}, InvalidTable, "Missing: b"),
    ],
)
def test_refused_in_words(linear, change, error, words) -> None:
    change = dict(change)
    row = linear.table.take(range(change.pop("rows", 1))).drop(columns=change.pop("without", []))
    with pytest.raises(error, match=words):
        explain_row(linear, row, **change)


def test_an_unknown_category_is_refused_and_the_row_given_stays_as_it_was() -> None:
    table = all_kinds_table()
    model = build_model(table, lambda frame: frame["income"] / 5000)
    row = table.take([1]).copy()
    row["colour"] = "mauve"
    with pytest.raises(UnknownName, match=r"colour.*mauve"):
        explain_row(model, row)
    assert row["colour"].iloc[0] == "mauve"
