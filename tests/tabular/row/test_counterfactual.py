"""Counterfactuals flip, stay within the observed values, respect locks and kinds, and are as small as brute force's."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from tests.tabular.closed_form_models import all_kinds_table, build_model, number_table
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, UnknownName
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.data.table import table_from
from xai_core.tabular.models.train import train
from xai_core.tabular.row.counterfactual import counterfactuals

LOCKED = ("age", "group", "district")


@pytest.fixture(scope="module")
def loan():
    return train(load_table("loan"), "random_forest", {"trees": 20}, seed=0)


@pytest.fixture(scope="module")
def refused_rows(loan):
    """Return three refused rows, each with its changes: free, and with age, group and district locked."""
    rows = loan.test_rows[loan.predict(loan.table.take(loan.test_rows))[:, 1] < 0.4][:3]
    frames = [loan.table.take([row]) for row in rows]
    return [
        (frame, counterfactuals(loan, frame, 1), counterfactuals(loan, frame, 1, locked=LOCKED)) for frame in frames
    ]


def is_observed(column, cells: pd.Series) -> bool:
    if column.kind == "category":
        return set(cells) <= set(column.categories)
    return bool(cells.between(column.low, column.high).all())


def test_on_a_trained_forest_every_change_flips_within_what_was_seen_and_respects_locks(loan, refused_rows) -> None:
    for row, _, result in refused_rows:
        assert 1 <= len(result.changes) <= 5 and result.note == ""
        for change in result.changes:
            assert loan.predict(change.row).argmax() == 1
            assert change.score == pytest.approx(loan.predict(change.row)[0, 1])
            assert not set(change.changed) & set(LOCKED)
            moved = {name for name in loan.table.features if change.row[name].iloc[0] != row[name].iloc[0]}
            assert moved == set(change.changed)
            for column in loan.table.columns:
                assert is_observed(column, change.row[column.name])
                if column.whole and column.name in moved:
                    assert change.row[column.name].iloc[0] == round(change.row[column.name].iloc[0])
                if column.kind == "boolean":
                    assert change.row[column.name].iloc[0] in (0.0, 1.0)


def test_no_change_can_be_left_out(loan, refused_rows) -> None:
    for _, result, locked in refused_rows:
        changes = [*result.changes, *locked.changes]
        without = [change.row.assign(**{name: old}) for change in changes for name, (old, _) in change.changed.items()]
        assert (loan.predict(pd.concat(without)).argmax(axis=1) == 0).all()


def test_few_features_come_first_and_the_changes_differ(refused_rows) -> None:
    for _, result, _ in refused_rows:
        changes = result.changes
        assert len(changes) >= 3
        assert min(len(change.changed) for change in changes) == len(changes[0].changed)
        assert len({frozenset(change.changed) for change in changes}) >= 2


def test_a_threshold_is_found_to_a_thousandth_of_the_range() -> None:
    table = all_kinds_table()
    model = build_model(table, lambda frame: (frame["income"] > 3210).astype(float))
    row = table.row({"income": 1500, "rate": 0.5, "colour": "red", "owner": "yes", "day": "2023-01-05"})
    (change, *_) = counterfactuals(model, row, 1).changes
    assert list(change.changed) == ["income"]
    old, new = change.changed["income"]
    assert old == 1500 and 3210 < new <= 3225 and new == int(new)
    assert (
        change.sentence == f"If income were {new:,.0f} instead of 1,500, the model would say yes (probability 100 %)."
    )


GRID = (0.0, 1.0, 2.0, 3.0)


def count_differences(first: tuple[float, ...], second: tuple[float, ...]) -> int:
    return sum(a != b for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("seed", range(6))
def test_as_few_changes_as_brute_force_needs(seed) -> None:
    """On a small grid whose every point is known, where random points are good ones."""
    rng = np.random.default_rng(seed)
    good = {point: rng.random() < 0.06 for point in product(GRID, repeat=4)}
    points = rng.choice(GRID, (200, 4))
    table = table_from(pd.DataFrame(points, columns=list("abcd")), np.zeros(200), classes=("bad", "good"))
    model = build_model(
        table, lambda frame: np.array([float(good[tuple(point)]) for point in np.round(frame.to_numpy())])
    )
    start = min(
        good, key=lambda point: (min(count_differences(point, goal) for goal in good if good[goal]) != 2, point)
    )
    fewest = min(count_differences(point, start) for point in good if good[point])
    result = counterfactuals(model, table.row(dict(zip("abcd", start, strict=True))), 1)
    assert fewest == 2
    assert len(result.changes[0].changed) == fewest


def test_five_categories_at_once_are_found_from_the_data() -> None:
    """More changes than the beam makes, on a plateau without a hint; a few real rows are good."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.choice(["x", "y", "z"], (300, 6)), columns=list("abcdef"))
    frame.loc[frame["a"] == "z", "a"] = "y"
    frame.iloc[:20, :5] = "z"
    frame.iloc[:20, 5] = "y"  # what they all have, and nobody needs
    table = table_from(frame, np.zeros(300), classes=("no", "yes"))
    model = build_model(table, lambda frame: (frame[list("abcde")] == "z").all(axis=1).astype(float))
    result = counterfactuals(model, table.row(dict.fromkeys("abcdef", "x")), 1)
    assert set(result.changes[0].changed) == set("abcde")
    assert all(pair == ("x", "z") for pair in result.changes[0].changed.values())


def test_both_of_two_are_needed() -> None:
    table = number_table(classes=("no", "yes"))
    model = build_model(table, lambda frame: 1 / (1 + np.exp(-3 * (np.minimum(frame["a"], frame["b"]) - 6))))
    result = counterfactuals(model, table.row({"a": 1.0, "b": 2.0, "c": 5.0, "d": 5.0}), 1)
    best = result.changes[0]
    assert set(best.changed) == {"a", "b"}
    assert best.row["a"].iloc[0] == pytest.approx(6, abs=0.05) and best.row["b"].iloc[0] == pytest.approx(6, abs=0.05)
    assert best.distance == pytest.approx((5 + 4) / 9, abs=0.06)


def test_another_way_comes_before_more_of_the_same() -> None:
    """Any other colour is enough, at the same cost each; so are two numbers together, which cost a little more."""
    table = all_kinds_table()
    model = build_model(
        table,
        lambda frame: ((frame["colour"] != "red") | (frame["rate"] > 0.5) & (frame["income"] > 3000)).astype(float),
    )
    row = table.row({"income": 2000, "rate": 0.4, "colour": "red", "owner": "yes", "day": "2023-01-05"})
    first, second, third = counterfactuals(model, row, 1, count=3).changes
    assert [set(change.changed) for change in (first, second, third)] == [{"colour"}, {"income", "rate"}, {"colour"}]


def test_a_regression_reaches_a_range_and_not_beyond() -> None:
    table = number_table()
    model = build_model(table, lambda frame: 10 * frame["a"] + frame["b"])
    row = table.row({"a": 1.0, "b": 5.0, "c": 5.0, "d": 5.0})
    (change, *_) = counterfactuals(model, row, (40.0, 45.0)).changes
    assert list(change.changed) == ["a"] and 40 <= change.score <= 45
    assert change.row["a"].iloc[0] == pytest.approx(3.5, abs=0.03)
    assert change.sentence.endswith("for size.")
    assert "at least 500" in counterfactuals(model, row, (500, float("inf"))).note


def test_a_missing_cell_may_be_filled_and_none_is_emptied() -> None:
    table = all_kinds_table()
    model = build_model(table, lambda frame: (frame["rate"] > 0.8).astype(float))
    row = table.row({"income": 1500, "colour": "red", "owner": "yes", "day": "2023-01-05"})
    (change, *_) = counterfactuals(model, row, 1).changes
    assert (
        change.changed["rate"][0] is None
        and change.sentence.startswith("If rate were 0.")
        and "instead of missing" in change.sentence
    )
    likes_missing = build_model(table, lambda frame: frame["rate"].isna().astype(float))
    assert counterfactuals(likes_missing, table.take([1]), 1).changes == ()


def test_it_says_when_there_is_none_and_how_much_was_tried() -> None:
    table = all_kinds_table()
    model = build_model(table, lambda frame: np.full(len(frame), 0.2))
    result = counterfactuals(model, table.take([1]), 1, locked=("day",))
    assert result.changes == () and result.evaluations > 1000
    assert (
        result.note.startswith("No change was found after which the model says yes")
        and "with day locked" in result.note
    )
    assert f"{result.evaluations:,} rows" in result.note


def test_a_lock_on_what_decides_leaves_nothing() -> None:
    table = all_kinds_table()
    model = build_model(table, lambda frame: (frame["income"] > 3000).astype(float))
    row = table.row({"income": 1500, "rate": 0.5, "colour": "red", "owner": "yes", "day": "2023-01-05"})
    assert counterfactuals(model, row, 1).changes
    assert counterfactuals(model, row, 1, locked=["income"]).changes == ()
    assert "Every feature is locked" in counterfactuals(model, row, 1, locked=table.features).note


def test_what_is_so_already_needs_no_change() -> None:
    table = all_kinds_table()
    model = build_model(table, lambda frame: np.full(len(frame), 0.2))
    result = counterfactuals(model, table.take([1]), 0)
    assert result.changes == () and result.note.startswith("The model already says no")


def test_a_row_outside_of_what_was_seen_is_brought_back_inside() -> None:
    table = number_table(classes=("no", "yes"))
    model = build_model(table, lambda frame: (frame["a"] < 5).astype(float))
    (change, *_) = counterfactuals(model, table.row({"a": 99.0, "b": 5.0, "c": 5.0, "d": 5.0}), 1).changes
    assert 4.75 <= change.row["a"].iloc[0] < 5


def test_the_same_request_gives_the_same_changes(loan, refused_rows) -> None:
    row, result, _ = refused_rows[0]
    assert [change.sentence for change in counterfactuals(loan, row, 1).changes] == [
        change.sentence for change in result.changes
    ]


def test_it_stops_when_asked() -> None:
    job, table = Job(), all_kinds_table()
    model = build_model(table, lambda frame: (job.cancel() if len(frame) > 1 else None) or np.full(len(frame), 0.2))
    with pytest.raises(Cancelled):
        counterfactuals(model, table.take([1]), 1, job=job)


@pytest.mark.parametrize(
    ("target", "extra", "error", "words"),
    [
        (2, {}, InvalidParam, "from 0 to 1"),
        ((0, 1), {}, InvalidParam, "class number"),
        (1, {"count": 0}, InvalidParam, "Got '0'"),
        (1, {"locked": ["incom"]}, UnknownName, "income"),
        (1, {"seed": -1}, InvalidParam, "The seed"),
    ],
)
def test_refused_in_words(target, extra, error, words) -> None:
    table = all_kinds_table()
    with pytest.raises(error, match=words):
        counterfactuals(build_model(table, lambda frame: frame["income"] / 5000), table.take([1]), target, **extra)


@pytest.mark.parametrize("target", [3, (2.0, 1.0), (float("nan"), 1.0), (float("-inf"), float("inf")), ("1", 2)])
def test_a_range_that_is_none_is_refused(target) -> None:
    table = number_table()
    with pytest.raises(InvalidParam, match="wanted"):
        counterfactuals(build_model(table, lambda frame: frame["a"]), table.take([1]), target)
