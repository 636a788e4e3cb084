"""The choice of target and features: defaults, changes to the rows with their notes, and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xai_core.errors import InvalidTable, UnknownName
from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.reading.read import read_table

ROWS = 60
HEAD = "id,name,size,rooms,garden,colour,always,sold,price"


def build_line(row: int) -> str:
    cells = [
        f"{row + 1}",
        f"house {row}",
        f"{(row * 7) % 11 + 0.5}",
        f"{row % 4}" if row != 5 else "",
        "yes" if row % 3 else "no",
        ["red", "blue", "green"][row % 3] if row != 6 else "NA",
        "same",
        "1" if row % 4 else "0",
        f"{100 + (row * 13) % 37}" if row not in (7, 8) else "",
    ]
    return ",".join(cells)


@pytest.fixture(scope="module")
def raw() -> RawTable:
    return read_table("\n".join([HEAD, *map(build_line, range(ROWS))]).encode())


def test_identifiers_and_constants_are_excluded_with_a_note(raw: RawTable) -> None:
    assert raw.default_exclusions == ("id", "name", "always")
    assert raw.notes == (
        "'NA' was taken for no value in 1 row of 'colour'.",
        (
            "Not used unless you choose it, because nearly every row has its own value, like a name or a number: "
            "'id', 'name'."
        ),
        "Not used, because every row says the same: 'always'.",
        (
            "'rooms' holds few different whole numbers and was read as amounts. "
            "If they are codes for kinds, say so in the column types."
        ),
    )
    assert raw.default_features("sold") == ("size", "rooms", "garden", "colour", "price")
    assert raw.table("sold").features == raw.default_features("sold")
    assert "id" in raw.table("sold", ["id", "size"]).features


@pytest.mark.parametrize(
    ("name", "values", "is_identifier"),
    [
        ("n", range(40), True),
        ("house id", [row * 37 % 41 for row in range(40)], True),
        ("age", [row * 37 % 41 for row in range(40)], False),
        ("n", [row * 0.5 for row in range(40)], False),
        ("n", [*range(39), 38], False),
        ("id", range(15), False),
        ("n", [f"w{row}" for row in range(40)], True),
        ("n", [f"w{row % 30}" for row in range(40)], False),
    ],
)
def test_columns_that_name_the_row(name: str, values: list[object], is_identifier: bool) -> None:
    text = f"{name},other,b\n" + "".join(f"{value},{row % 3},{row % 5}\n" for row, value in enumerate(values))
    assert read_table(text.encode()).default_exclusions == ((name,) if is_identifier else ())


@pytest.mark.parametrize(
    ("head", "target"), [("a,b,c", "b"), ("a,Outcome,c", "Outcome"), ("y,b,c", "y"), ("target,outcome,c", "target")]
)
def test_likely_target_has_a_typical_name_or_is_the_last_that_does_not_count_the_rows(head: str, target: str) -> None:
    rows = "".join(f"{row % 3},{row % 5},{row}\n" for row in range(40))
    assert read_table(f"{head}\n{rows}".encode()).likely_target == target


@pytest.mark.parametrize(
    ("target", "task", "classes", "counts"),
    [
        ("colour", "classification", ("blue", "green", "red"), [20, 20, 19]),
        ("garden", "classification", ("no", "yes"), [20, 40]),
        ("sold", "classification", ("0", "1"), [15, 45]),
        ("rooms", "classification", ("0", "1", "2", "3"), [15, 14, 15, 15]),
        ("size", "regression", (), []),
        ("price", "regression", (), []),
    ],
)
def test_the_task_follows_from_the_target(
    raw: RawTable, target: str, task: str, classes: tuple[str, ...], counts: list[int]
) -> None:
    table = raw.table(target)
    assert (raw.guess_task(target), table.task, table.classes, table.target_name) == (task, task, classes, target)
    if classes:
        shown = [table.classes[index] for index in table.target]
        column = raw.column(target)
        words = {0.0: classes[0], 1.0: classes[1]} if column.kind == "boolean" else {}
        assert shown == [words.get(cell, column.show(cell)) for cell in raw.frame[target] if cell == cell]
        assert np.bincount(table.target).tolist() == counts
    else:
        assert table.target.tolist() == [cell for cell in raw.frame[target] if not math.isnan(cell)]


def test_guessing_classes_from_numbers_has_a_note_and_can_be_changed(raw: RawTable) -> None:
    notes = raw.table("rooms").notes
    assert (
        "'rooms' has 4 different whole numbers, so they were taken for classes. "
        "If they are amounts, choose a number to be predicted." in notes
    )
    assert not any("read as amounts" in note for note in notes)
    as_number = raw.table("rooms", task="regression")
    assert as_number.task == "regression" and as_number.target.dtype == np.float64
    assert not any("taken for classes" in note for note in as_number.notes)
    as_classes = raw.table("price", task="classification")
    assert len(as_classes.classes) > 10 and as_classes.classes == tuple(sorted(as_classes.classes, key=int))
    assert any("too few to learn from" in note for note in as_classes.notes)


def test_rows_without_a_target_are_left_out_with_a_note(raw: RawTable) -> None:
    table = raw.table("price")
    assert len(table) == ROWS - 2 and "2 rows without a value in 'price' were left out." in table.notes
    assert table.frame.index.tolist() == list(range(ROWS - 2))
    assert table.frame["size"].tolist() == [size for row, size in enumerate(raw.frame["size"]) if row not in (7, 8)]
    assert table.column("rooms").missing == table.frame["rooms"].isna().sum() == 1
    assert raw.column("rooms").missing == 1


def test_features_are_those_chosen_in_that_order(raw: RawTable) -> None:
    table = raw.table("sold", ["price", "colour", "price"])
    assert table.features == ("price", "colour")
    assert [column.kind for column in table.columns] == ["numeric", "category"]
    assert table.sha256 != raw.table("sold", ["colour", "price"]).sha256


def test_a_feature_without_differences_is_left_out_with_a_note(raw: RawTable) -> None:
    table = raw.table("sold", ["size", "always"])
    assert table.features == ("size",)
    assert "Left out, because every row says the same: 'always'." in table.notes


@pytest.mark.parametrize(
    ("target", "features", "task", "error", "message"),
    [
        ("prize", None, None, UnknownName, "Did you mean price"),
        ("price", ["siz"], None, UnknownName, "Did you mean size"),
        ("price", ["size", "price"], None, InvalidTable, "'price' cannot be one of the features"),
        ("price", [], None, InvalidTable, "At least one feature is needed"),
        ("price", ["always"], None, InvalidTable, "At least one feature is needed"),
        ("always", None, None, InvalidTable, "'always' has the same value in every row, 'same'"),
        ("name", None, None, InvalidTable, "60 different values, too many to be classes: up to 50"),
        ("colour", None, "regression", InvalidTable, "'colour' holds words, not numbers"),
    ],
)
def test_refused_in_words(
    raw: RawTable, target: str, features: list[str] | None, task: str | None, error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        raw.table(target, features, task=task)  # type: ignore[arg-type]


def test_too_few_rows_are_refused() -> None:
    small = read_table(b"a,b\n" + b"".join(b"%d.5,%d\n" % (row % 7, row % 2) for row in range(25)) + b"1.5,\n" * 30)
    assert len(small.table("b")) == 25
    with pytest.raises(InvalidTable, match=r"At least 20 rows with a value in 'b' are needed. Got 19\."):
        read_table(b"a,b\n" + b"".join(b"%d.5,%d\n" % (row % 7, row % 2) for row in range(19)) + b"1.5,\n" * 30).table(
            "b"
        )


def test_rare_classes_have_a_note(raw: RawTable) -> None:
    text = "a,b\n" + "".join(f"{row % 9},{'rare' if row < 3 else 'often'}\n" for row in range(40))
    assert (
        "Some classes have fewer than 5 rows, too few to learn from: 'rare' (3)."
        in read_table(text.encode()).table("b").notes
    )
    assert not any("too few" in note for note in raw.table("sold").notes)


def test_the_raw_frame_stays_as_it_was(raw: RawTable) -> None:
    before = raw.frame.copy()
    table = raw.table("sold")
    table.frame.iloc[0, 0] = -1.0
    assert raw.frame.equals(before)
