"""Tables in memory: columns, stable splits, rows from a form, cells in words, a hash of the content."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from xai_core.errors import InvalidTable, UnknownName
from xai_core.tabular.data.cell_format import format_cell
from xai_core.tabular.data.column import describe_column
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
    # A quarter of 30 and 29, rounded; the single row is trained on.
    assert np.bincount(table.target[test], minlength=3).tolist() == [8, 7, 0]
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
    # In the order blue, green, missing, red.
    assert out[0, :4].tolist() == [0, 0, 1, 0]


FORM = {"size": "0.5", "rooms": 3, "colour": "green", "garden": True, "built": date(1997, 5, 19)}


def test_row_has_the_types_of_the_frame(table: Table) -> None:
    row = table.row(FORM)
    assert row.dtypes.equals(table.frame.dtypes) and list(row.columns) == list(table.features)
    assert row.iloc[0].tolist() == [0.5, 3.0, "green", 1.0, 10_000.0]


@pytest.mark.parametrize("number", range(60))
def test_a_row_of_the_table_goes_through_a_form_unchanged(table: Table, number: int) -> None:
    row = table.row(dict(table.frame.iloc[number]))
    pd.testing.assert_frame_equal(row, table.take([number]).reset_index(drop=True))


@pytest.mark.parametrize("empty", [None, math.nan, "", "  ", pd.NaT])
def test_row_takes_no_value_for_an_answer(table: Table, empty: object) -> None:
    row = table.row({"size": 1, "colour": empty, "built": empty})
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
    ("name", "numbers", "value", "shown"),
    [
        ("x", [1998, 2024], 2001, "2001"),
        ("x", [1998, 2024, 3500], 2001, "2,001"),
        ("built in year", [0, 2024, 3500], 2001, "2001"),
        ("built in year", [0, 2024, 3500], 3500, "3,500"),
        ("Baujahr", [0, 2024], 1890, "1890"),
        ("yearly income", [0, 2024], 2001, "2,001"),
        ("année", [0, 2024], 2001, "2001"),
        ("x", [1998.5, 2024], 2001, "2,001"),
        ("x", [0.5, 2], 0.00012, "0.00012"),
        ("x", [0.5, 2], -0.0000123, "-0.0000123"),
        ("x", [0.5, 2], 1.5e-9, "1.5e-09"),
        ("x", [0.5, 2], 99.95, "100"),
        ("x", [0.5, 2e20], 1.5e18, "1.5e+18"),
    ],
)
def test_years_and_small_numbers_are_readable(name: str, numbers: list[float], value: float, shown: str) -> None:
    assert describe_column(name, "numeric", pd.Series(numbers, dtype=float)).show(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.00012, "0.00012"), (0.0, "0.00"), (-0.0004, "-0.0004"), (1.234, "1.23"), (None, "missing")]
)
def test_a_small_number_beside_large_ones_does_not_look_like_none(value: float | None, shown: str) -> None:
    assert format_cell(describe_column("x", "numeric", pd.Series([0.1, 2.5])), value) == shown


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
    def hash_of(frame: pd.DataFrame = table.frame, target: np.ndarray = table.target, **changes: object) -> str:
        options = {"classes": table.classes, "kinds": {column.name: column.kind for column in table.columns}} | changes
        return table_from(frame[[*options["kinds"]]], target, **options).sha256

    assert hash_of() == hash_of(name="other", title="Other", about="x.", notes=["y."]) == table.sha256
    one_cell = table.frame.copy()
    one_cell.loc[7, "rooms"] += 1
    one_word = table.frame.copy()
    one_word.loc[7, "colour"] = "green"
    fewer = {column.name: column.kind for column in table.columns[:-1]}
    numeric = {column.name: column.kind for column in table.columns} | {"garden": "numeric"}
    hashes = {
        table.sha256,
        hash_of(one_cell),
        hash_of(one_word),
        hash_of(target=table.target[::-1]),
        hash_of(kinds=fewer),
        hash_of(kinds=numeric),
        hash_of(target_name="price"),
        hash_of(classes=("a", "b", "c")),
    }
    assert len(hashes) == 8


def test_the_target_is_read_only_and_not_the_callers() -> None:
    mine = np.array([0.0, 1.0])
    table = table_from(pd.DataFrame({"x": [1.0, 2.0]}), mine)
    mine[0] = 5
    assert table.target[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        table.target[0] = 1
