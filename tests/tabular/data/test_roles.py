"""Roles of columns: guessed, overruled, ordered, and ids that repeat."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.tabular.reading.column_file import write_csv
from xai_core.errors import InvalidTable, UnknownName
from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.data.row_encoder import RowEncoder
from xai_core.tabular.reading.read import read_table

ROWS = 60
CELLS = {
    "patient_id": [str(1000 + row // 3) for row in range(ROWS)],
    "sex": ["1", "2"],
    "education": ["10", "9", "2.0", "2"],
    "level": ["medium", "low", "high", "low"],
    "day": [f"2020-{1 + row % 12:02d}-05" for row in range(ROWS)],
    "size": [f"{row * 7 % 11}.5" for row in range(ROWS)],
    "mixed": ["1", "2", "3", "much"],
    "garden": ["yes", "no", "no"],
    "constant": ["same"],
    "sold": [str(row % 2) for row in range(ROWS)],
}


@pytest.fixture(scope="module")
def raw() -> RawTable:
    return read_table(write_csv(CELLS))


def test_roles_are_guessed(raw: RawTable) -> None:
    assert raw.roles == {
        "patient_id": "id",
        "sex": "number",
        "education": "number",
        "level": "category",
        "day": "date",
        "size": "number",
        "mixed": "category",
        "garden": "category",
        "constant": "left out",
        "sold": "category",
    }
    assert raw.default_features("sold") == ("sex", "education", "level", "day", "size", "mixed", "garden")


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("sex", {"number", "category"}),
        ("education", {"number", "category", "ordered"}),
        ("level", {"category", "ordered"}),
        ("day", {"date", "category", "ordered"}),
        ("mixed", {"number", "category", "ordered"}),
        ("garden", {"category"}),
        ("sold", {"number", "category"}),
    ],
)
def test_every_choice_can_be_taken_and_no_other(raw: RawTable, name: str, choices: set[str]) -> None:
    assert set(raw.role_choices(name)) == choices | {"id", "left out"}
    target = "sold" if name != "sold" else "garden"
    for role in ("number", "category", "ordered", "date"):
        if role in choices:
            table = raw.table(target, kinds={name: role})
            expected = {"number": "numeric", "date": "date", "ordered": "category"}.get(role)
            assert expected in (None, table.column(name).kind)
            assert table.column(name).ordered == (role == "ordered")
        else:
            with pytest.raises(InvalidTable, match=f"The column '{name}' cannot be read as .*Allowed: "):
                raw.table(target, kinds={name: role})
    for role in ("id", "left out"):
        assert name not in raw.table(target, kinds={name: role}).features
    with pytest.raises(UnknownName, match="Did you mean"):
        raw.table(target, kinds={name + "x": "category"})


def test_a_category_of_numbers_has_the_spelling_of_the_file_and_one_name_for_a_number(raw: RawTable) -> None:
    table = raw.table("sold", kinds={"education": "category"})
    assert table.frame["education"].tolist() == ["10", "9", "2", "2"] * 15
    texts = table.texts["education"]
    assert dict(zip(texts.texts.to_pylist(), texts.values, strict=True)) == {"10": "10", "9": "9", "2.0": "2", "2": "2"}
    assert raw.frame["education"].tolist() == [10, 9, 2, 2] * 15, "the file's own reading stays"


def test_an_ordered_column_rises(raw: RawTable) -> None:
    table = raw.table("sold", kinds={"level": "ordered", "education": "ordered", "mixed": "ordered", "day": "ordered"})
    assert table.column("level").categories == ("low", "medium", "high")
    assert table.column("education").categories == ("2", "9", "10")
    assert table.column("mixed").categories == ("1", "2", "3", "much")
    assert table.column("day").categories == tuple(sorted(set(CELLS["day"])))
    assert "The values of 'level' are ordered from low to high: 'low', 'medium', 'high'." in table.notes
    assert "The values of 'mixed' are ordered as they first appear: '1', '2', '3', 'much'." in table.notes
    codes = RowEncoder.of(table).encode(table.frame)[:4, table.features.index("level")]
    assert codes.tolist() == [1, 0, 2, 0]
    assert table.sha256 != raw.table("sold", kinds={"level": "category"}).sha256


def test_words_in_a_column_chosen_as_numbers_are_missing_and_named(raw: RawTable) -> None:
    table = raw.table("sold", kinds={"mixed": "number"})
    assert table.frame["mixed"].iloc[:3].tolist() == [1, 2, 3] and table.column("mixed").missing == 15
    assert "Column 'mixed' holds numbers; 15 cells ('much') are not, and counted as missing." in table.notes
    assert not any("mixes numbers and words" in note for note in table.notes)
    assert any("mixes numbers and words" in note for note in raw.notes)


@pytest.mark.parametrize(
    ("kind", "task", "classes"),
    [
        (None, "classification", ("2", "9", "10")),
        ("category", "classification", ("2", "9", "10")),
        ("ordered", "classification", ("2", "9", "10")),
        ("number", "regression", ()),
    ],
)
def test_the_target_has_a_kind_too(raw: RawTable, kind: str | None, task: str, classes: tuple[str, ...]) -> None:
    table = raw.table("education", kinds={"education": kind} if kind else None)  # type: ignore[dict-item]
    assert (table.task, table.classes) == (task, classes)
    shown = [table.classes[index] for index in table.target] if classes else table.target.tolist()
    assert shown == (["10", "9", "2", "2"] if classes else [10, 9, 2, 2]) * 15


def test_classes_stand_in_their_natural_order() -> None:
    raw = read_table(
        write_csv({"class": [f"group {row % 12 + 1}" for row in range(48)], "x": ["1.5", "2", "3.5", "4", "5"]})
    )
    assert raw.table("class").classes == tuple(f"group {number}" for number in range(1, 13))
    raw = read_table(
        write_csv({"class": [f"0{row % 12 + 1}" for row in range(48)], "x": ["1.5", "2", "3.5", "4", "5"]})
    )
    assert raw.table("class").classes == tuple(f"0{number}" for number in range(1, 13))


def test_rows_of_one_id_are_a_group_and_on_one_side_of_the_split(raw: RawTable) -> None:
    table = raw.table("sold")
    assert table.groups is not None and table.groups.tolist() == [row // 3 for row in range(ROWS)]
    train, test = table.split()
    assert not set(table.groups[train]) & set(table.groups[test])
    note = next(note for note in table.notes if "'patient_id' (20 values in 60 rows)" in note)
    assert note.startswith("Not used, because it seems to number persons or things") and "in the column types" in note
    assert raw.table("sold", kinds={"patient_id": "number"}).groups is None
    assert "patient_id" in raw.table("sold", kinds={"patient_id": "number"}).features


def test_a_row_without_an_id_is_a_group_of_its_own() -> None:
    cells = CELLS | {"patient_id": [str(1000 + row // 3) if row > 1 else "" for row in range(ROWS)]}
    groups = read_table(write_csv(cells)).table("sold").groups
    assert groups is not None and len(set(groups[:3].tolist())) == 3 and groups[3] == groups[5]


@pytest.mark.parametrize(
    ("name", "distinct", "is_id"),
    [
        *((name, 12, True) for name in ("id", "ID", "PatientID", "customer_id", "Kundennr", "uuid", "patient", "user")),
        *((name, 12, True) for name in ("subject nr", "CustomerKey", "id_client", "order number", "personid")),
        *((name, 12, False) for name in ("key", "nr", "number of rooms", "age", "paid", "grid", "identity", "humid")),
        ("id", 2, False),
        ("patient", 4, False),
        ("key", 30, True),
    ],
)
def test_names_of_ids_that_repeat(name: str, distinct: int, is_id: bool) -> None:
    cells = {
        name: [str(row * 7 % distinct + 3) for row in range(90)],
        "x": ["1.5", "2", "3.5", "4", "5"],
        "y": ["a", "b"],
    }
    assert (read_table(write_csv(cells)).roles[name] == "id") == is_id


@pytest.mark.parametrize(
    ("values", "first", "is_id"),
    [
        ([str(row * row + 5) for row in range(60)], False, False),
        ([str(row * row + 5) for row in range(60)], True, True),
        ([str(row * 1000) for row in range(60)], False, True),
        ([f"${row * 1000}" for row in range(60)], False, False),
        ([str(row * 37 % 61) for row in range(60)], True, False),
    ],
)
def test_a_sorted_column_is_a_number_of_the_row_if_it_is_first_or_its_steps_are_equal(
    values: list[str], first: bool, is_id: bool
) -> None:
    others = {"x": ["1.5", "2", "3.5", "4", "5"], "y": ["a", "b"]}
    cells = {"limit": values, **others} if first else {"y": ["a", "b"] * 30, "limit": values, "x": ["1.5", "2", "4"]}
    assert (read_table(write_csv(cells)).roles["limit"] == "id") == is_id


def write_parquet(columns: dict[str, object]) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


def test_columns_of_a_parquet_file_take_roles_too() -> None:
    raw = read_table(
        write_parquet(
            {
                "code": pa.array([3, 1, 2, None] * 15),
                "day": pd.date_range("2024-01-01", periods=60).date,
                "flag": [True, False, True] * 20,
                "big": pa.array([2**60 + row // 2 for row in range(60)]),
                "y": np.arange(60) % 7 / 2,
            }
        )
    )
    assert raw.roles == {"code": "number", "day": "date", "flag": "category", "big": "category", "y": "number"}
    assert raw.column("big").kind == "category" and len(raw.column("big").categories) == 30
    table = raw.table("y", kinds={"code": "ordered", "flag": "number", "day": "category", "big": "left out"})
    assert table.column("code").categories == ("1", "2", "3") and table.column("code").missing == 15
    assert table.column("flag").kind == "numeric" and table.frame["day"].iloc[0] == "2024-01-01"
    with pytest.raises(InvalidTable, match="'code' cannot be read as dates"):
        raw.table("y", kinds={"code": "date"})
