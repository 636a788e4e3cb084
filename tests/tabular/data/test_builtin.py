"""Built-in tables against scikit-learn, and what a table promises: stable splits, typed rows, honest names, a hash of its content."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from xai_core import tabular
from xai_core.errors import InvalidTable, UnknownName
from xai_core.tabular.data.builtin import TABLES, load_table
from xai_core.tabular.data.histogram import histogram
from xai_core.tabular.data.table import Table, table_from


@pytest.fixture(scope="module")
def table() -> Table:
    """60 rows of every kind of column, each with a missing cell, and three classes of 30, 29 and 1 rows."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": [math.nan, *rng.normal(size=59)],
            "rooms": [math.nan, *rng.integers(1, 5, 59).astype(float)],
            "colour": pd.Series([None, *["red", "blue", "red"] * 19, "green", "red"], dtype=object),
            "garden": [math.nan, *rng.integers(0, 2, 59).astype(float)],
            "built": [math.nan, *(10_000.0 + np.arange(59))],
        }
    )
    target = rng.permutation([0] * 30 + [1] * 29 + [2])
    return table_from(frame, target, classes=("cheap", "fair", "dear"), kinds={"garden": "boolean", "built": "date"})


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_classes_are_those_of_scikit_learn(name: str) -> None:
    ours, theirs = load_table(name), getattr(datasets, f"load_{name}")()
    np.testing.assert_array_equal(ours.frame.to_numpy(), theirs.data)
    np.testing.assert_array_equal(ours.target, theirs.target)
    assert [label.replace(" ", "_") for label in ours.classes] == list(theirs.target_names)
    assert [feature.replace(" ", "_") for feature in ours.features] == [
        feature.replace(" ", "_") for feature in theirs.feature_names
    ]
    assert ours.task == "classification" and ours.target.dtype == np.int64


def test_diabetes_is_in_the_units_it_was_measured_in() -> None:
    ours, theirs = load_table("diabetes"), datasets.load_diabetes(as_frame=True, scaled=False)
    np.testing.assert_array_equal(ours.frame.drop(columns="sex").to_numpy(), theirs.data.drop(columns="sex").to_numpy())
    assert ours.frame["sex"].tolist() == [f"group {code:.0f}" for code in theirs.data["sex"]]
    np.testing.assert_array_equal(ours.target, theirs.target)
    assert ours.task == "regression" and ours.classes == () and ours.target.dtype == np.float64


@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_what_it_is(name: str) -> None:
    spec, table = TABLES.get(name), load_table(name)
    assert load_table(name) is table
    assert (table.name, table.title, table.task, table.about) == (spec.name, spec.title, spec.task, spec.about)
    assert table.title and table.about.endswith(".") and table.target_name
    assert list(table.frame.columns) == list(table.features) and table.target_name not in table.features
    assert list(table.frame.index) == list(range(len(table))) and len(table.target) == len(table)
    assert not table.protected or table.column(table.protected).kind == "category"
    for column in table.columns:
        assert table.frame[column.name].dtype == (object if column.kind == "category" else np.float64)


def test_unknown_table_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="iris"):
        load_table("irs")


def test_columns_describe_their_cells(table: Table) -> None:
    size, rooms, colour, garden, built = table.columns
    assert [column.missing for column in table.columns] == [1] * 5
    assert (size.low, size.high) == (np.nanmin(table.frame["size"]), np.nanmax(table.frame["size"]))
    assert (size.whole, rooms.whole, garden.whole, built.whole) == (False, True, False, False)
    assert colour.categories == ("red", "blue", "green") and math.isnan(colour.low) and math.isnan(colour.high)
    assert (garden.kind, garden.low, garden.high, garden.categories) == ("boolean", 0, 1, ())
    assert (built.kind, built.low, built.high) == ("date", 10_000, 10_058)
    with pytest.raises(UnknownName, match="Did you mean colour"):
        table.column("color")


def test_true_and_false_make_a_boolean_column_and_names_become_text() -> None:
    table = table_from(pd.DataFrame({1: [True, False], 2: ["a", "b"]}), [0.5, 1.5])
    assert table.features == ("1", "2")
    assert [column.kind for column in table.columns] == ["boolean", "category"]
    assert table.frame["1"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("seed", [0, 1])
def test_split_holds_out_a_quarter_of_every_class(table: Table, seed: int) -> None:
    train, test = table.split(seed)
    assert sorted([*train, *test]) == list(range(60)) and list(test) == sorted(test)
    # 30 and 29 quarters, rounded; the lone row is trained on.
    assert np.bincount(table.target[test], minlength=3).tolist() == [
        8,
        7,
        0,
    ]
    np.testing.assert_array_equal(table.split(seed)[1], test)
    assert not np.array_equal(table.split(seed + 2)[1], test)


def test_split_of_numbers_takes_rows_by_chance_alone() -> None:
    table = table_from(pd.DataFrame({"x": np.arange(100.0)}), np.arange(100.0))
    train, test = table.split(held_out=0.2)
    assert (len(train), len(test)) == (80, 20)
    assert 30 < test.mean() < 70 and np.ptp(np.diff(test)) > 0


def test_split_leaves_the_global_generator_alone(table: Table) -> None:
    before = np.random.get_state()[1].copy()
    table.split()
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_take_keeps_row_numbers_and_types(table: Table) -> None:
    some = table.take([5, 2])
    assert some.index.tolist() == [5, 2]
    assert some.dtypes.equals(table.frame.dtypes)


def test_scikit_learn_takes_the_cells_as_they_are(table: Table) -> None:
    """Missing categories are NaN, which its imputers and encoders understand; None they do not."""
    pipeline = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="constant", fill_value="missing"), OneHotEncoder(sparse_output=False)),
            ["colour"],
        ),
        (SimpleImputer(), ["size", "rooms", "garden", "built"]),
    )
    out = pipeline.fit_transform(table.frame)
    assert out.shape == (60, 4 + 4) and np.isfinite(out).all()
    assert out[0, :4].tolist() == [0, 0, 1, 0]  # blue, green, missing, red


FORM = {"size": "0.5", "rooms": 3, "colour": "green", "garden": True, "built": date(1997, 5, 19)}


def test_row_has_the_types_of_the_frame(table: Table) -> None:
    row = table.row(FORM)
    assert row.dtypes.equals(table.frame.dtypes) and list(row.columns) == list(table.features)
    assert row.iloc[0].tolist() == [0.5, 3.0, "green", 1.0, 10_000.0]


@pytest.mark.parametrize("number", range(60))
def test_a_row_of_the_table_goes_through_a_form_unchanged(table: Table, number: int) -> None:
    row = table.row(dict(table.frame.iloc[number]))
    pd.testing.assert_frame_equal(row, table.take([number]).reset_index(drop=True))


@pytest.mark.parametrize("nothing", [None, math.nan, "", "  ", pd.NaT])
def test_row_takes_no_value_for_an_answer(table: Table, nothing: object) -> None:
    row = table.row({"size": 1, "colour": nothing, "built": nothing})
    assert row["size"].notna().all()
    assert row[["rooms", "colour", "garden", "built"]].isna().all(axis=None)
    assert row.dtypes.equals(table.frame.dtypes)


@pytest.mark.parametrize(
    ("value", "days"),
    [
        ("1970-01-02", 1),
        ("1969-12-31", -1),
        ("1970-01-01T12:00", 0.5),
        ("1970-01-01T12:00:00+02:00", 10 / 24),
        (datetime(1970, 1, 2, 6), 1.25),
        (datetime(1970, 1, 2, tzinfo=timezone(timedelta(hours=-6))), 1.25),
        (pd.Timestamp("1970-01-11"), 10),
        (12.5, 12.5),
    ],
)
def test_row_reads_dates(table: Table, value: object, days: float) -> None:
    assert table.row({"built": value})["built"].item() == pytest.approx(days, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"colour": "pink"}, r"'colour' has no value 'pink'. It has: red, blue, green\."),
        ({"color": "red"}, "no column called 'color'. Did you mean colour"),
        ({"size": "large"}, r"'size' needs a number. Got 'large'\."),
        ({"size": math.inf}, r"'size' needs a number. Got 'inf'\."),
        ({"size": []}, "'size' needs a number"),
        ({"garden": "maybe"}, r"'garden' needs yes or no. Got 'maybe'\."),
        ({"garden": 2}, "'garden' needs yes or no"),
        ({"built": "yesterday"}, r"'built' needs a date such as 2024-01-31. Got 'yesterday'\."),
        ({"built": "<b>" * 100}, "<b><b>"),
    ],
)
def test_row_refuses_in_words(table: Table, values: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidTable, match=message) as caught:
        table.row(values)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("size", 3200.0, "3,200"),
        ("size", 0.12345, "0.123"),
        ("size", 1234.5678, "1,234.57"),
        ("size", -2.0, "-2"),
        ("size", math.nan, "missing"),
        ("colour", "red", "red"),
        ("colour", None, "missing"),
        ("garden", 1.0, "yes"),
        ("garden", 0.0, "no"),
        ("built", 10_000.0, "1997-05-19"),
        ("built", 10_000.5, "1997-05-19 12:00"),
        ("built", 1e12, "day 1e+12"),
    ],
)
def test_cells_are_shown_as_people_write_them(table: Table, column: str, value: object, shown: str) -> None:
    assert table.column(column).show(value) == shown


def test_hash_is_of_content_target_and_choice_alone(table: Table) -> None:
    def again(frame: pd.DataFrame = table.frame, target: np.ndarray = table.target, **more: object) -> str:
        options = {"classes": table.classes, "kinds": {column.name: column.kind for column in table.columns}} | more
        return table_from(frame[[*options["kinds"]]], target, **options).sha256

    assert again() == again(name="other", title="Other", about="x.", notes=["y."]) == table.sha256
    one_cell = table.frame.copy()
    one_cell.loc[7, "rooms"] += 1
    one_word = table.frame.copy()
    one_word.loc[7, "colour"] = "green"
    fewer = {column.name: column.kind for column in table.columns[:-1]}
    numeric = {column.name: column.kind for column in table.columns} | {"garden": "numeric"}
    hashes = {
        table.sha256,
        again(one_cell),
        again(one_word),
        again(target=table.target[::-1]),
        again(kinds=fewer),
        again(kinds=numeric),
        again(target_name="price"),
        again(classes=("a", "b", "c")),
    }
    assert len(hashes) == 8


def test_the_target_is_read_only_and_not_the_callers() -> None:
    mine = np.array([0.0, 1.0])
    table = table_from(pd.DataFrame({"x": [1.0, 2.0]}), mine)
    mine[0] = 5
    assert table.target[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        table.target[0] = 1


def test_public_names_exist() -> None:
    names = dir(tabular)
    assert len(names) > 10
    assert all(getattr(tabular, name) is not None for name in names)
    with pytest.raises(AttributeError, match="load_tables"):
        tabular.load_tables  # noqa: B018


@pytest.mark.parametrize("count", [2, 7, 30, 31, 72, 1000])
def test_bars_of_whole_numbers_hold_equally_many_of_them(count: int) -> None:
    """Every number once: with bars of unlike width some would be half as high again, as ages from 18 to 89 were."""
    edges, numbers = histogram(np.arange(count) - 3)
    assert numbers.sum() == count and len(numbers) <= 30
    assert len(set(numbers[:-1])) <= 1 and numbers[-1] <= numbers[0]
    assert (edges[0], edges[-1]) == (-3.5, count - 3.5)


def test_bars_of_other_numbers_are_equally_wide() -> None:
    values = np.random.default_rng(0).normal(size=500)
    edges, numbers = histogram(values)
    counts, right = np.histogram(values, bins=30)
    assert np.array_equal(edges, right) and np.array_equal(numbers, counts)
    for same in (4.0, 0.25):
        edges, numbers = histogram(np.full(9, same))
        assert numbers.tolist() == [9] and edges[0] < same < edges[-1]


@pytest.mark.parametrize(
    "values", [[0.0, 1e15], [1e18, 1e18 + 1000], [-1e300, 1e300], [5e-324, 1e-323], [1e18, 1e18], [-3, -3, -2]]
)
def test_any_numbers_can_be_put_into_bars(values: list[float]) -> None:
    edges, numbers = histogram(np.array(values))
    assert numbers.sum() == len(values) and 1 <= len(numbers) <= 30
    assert edges[0] <= min(values) and max(values) <= edges[-1]
