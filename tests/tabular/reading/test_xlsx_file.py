"""Excel files as XlsxWriter-like programs write them: built by hand or by openpyxl, read against what was written."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import openpyxl  # type: ignore[import-untyped]  # ships no types
import pytest

from xai_core.errors import InvalidTable
from xai_core.tabular import RawTable, read_table
from xai_core.tabular.reading import xlsx_file

Rows = Sequence[Sequence[Any]]
DAYS = [dt.datetime(2024, 2, 28) + dt.timedelta(days=k) for k in range(4)]
ROWS: Rows = [
    ["day", "size", "colour", "paid"],
    [DAYS[0], 1.5, "red", True],
    [DAYS[1], 2, "blue", False],
    [DAYS[2], None, "red", True],
    [DAYS[3], -4.25, "green", True],
]


def build(*sheets: Rows, titles: Sequence[str] = ()) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(titles[number] if titles else f"Sheet{number + 1}")
        for row in rows:
            sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def change_part(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return the workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, change(old.read(part)) if part == name else old.read(part))
    return out.getvalue()


def read_column(raw: RawTable, name: str) -> list[Any]:
    return [None if value != value else value for value in raw.frame[name].tolist()]


def test_each_kind_of_cell_is_read_as_it_was_written() -> None:
    raw = read_table(build(ROWS), "my table.xlsx")
    assert {column.name: column.kind for column in raw.columns} == {
        "day": "date",
        "size": "numeric",
        "colour": "category",
        "paid": "boolean",
    }
    assert read_column(raw, "size") == [1.5, 2.0, None, -4.25]
    assert read_column(raw, "colour") == ["red", "blue", "red", "green"]
    assert [raw.column("day").show(value) for value in raw.frame["day"]] == [
        "2024-02-28",
        "2024-02-29",
        "2024-03-01",
        "2024-03-02",
    ]
    assert raw.rows == 4 and not any("sheet" in note for note in raw.reading_notes)


def test_the_first_sheet_with_a_table_is_read_and_named() -> None:
    cover = [["Report of the year"], ["by somebody"]]
    raw = read_table(build([], cover, ROWS, [["a", "b"], [1, 2]], titles=["Empty", "Cover", "Data", "More"]))
    assert [column.name for column in raw.columns] == ["day", "size", "colour", "paid"]
    note = next(note for note in raw.reading_notes if "sheet" in note)
    assert "'Data'" in note and "'More'" in note


def test_titles_above_and_gaps_around_a_table_are_left_out() -> None:
    rows = [[None, "Sales in 2024"], [], *[[None, *row] for row in ROWS], [], [None, None, None]]
    raw = read_table(build(rows))
    assert [column.name for column in raw.columns] == ["day", "size", "colour", "paid"] and raw.rows == 4
    assert any("'Sales in 2024'" in note for note in raw.reading_notes)


def test_a_formula_gives_the_result_that_excel_stored() -> None:
    data = build([["a", "twice"], [1, 10], [2, 20], [3, 30]])

    def add_formulas(xml: bytes) -> bytes:
        changed, count = re.subn(rb'(<c r="B([234])"[^>]*>)<v>', rb"\1<f>A\2*2</f><v>", xml)
        assert count == 3
        return changed

    raw = read_table(change_part(data, "xl/worksheets/sheet1.xml", add_formulas))
    assert read_column(raw, "twice") == [10, 20, 30], "what is stored, not what the formula would give"


def test_errors_of_formulas_are_no_values_and_mixed_columns_are_text() -> None:
    raw = read_table(build([["a", "b", "c"], [1, "#N/A", "x1"], ["#DIV/0!", 2, 7], [3, 4, 7.5]]))
    assert read_column(raw, "a") == [1, None, 3] and read_column(raw, "b") == [None, 2, 4]
    assert read_column(raw, "c") == ["x1", "7", "7.5"]


def test_the_same_rows_as_csv_are_the_same_table() -> None:
    rng = np.random.default_rng(0)
    rows = [
        ["x", "y", "kind"],
        *[[round(float(rng.normal()), 6), int(rng.integers(99)), "ab"[k % 2]] for k in range(50)],
    ]
    text = "\n".join(",".join(map(str, row)) for row in rows).encode()
    excel, csv = read_table(build(rows)), read_table(text)
    assert [(column.name, column.kind) for column in excel.columns] == [
        (column.name, column.kind) for column in csv.columns
    ]
    for name in ("x", "y", "kind"):
        assert read_column(excel, name) == read_column(csv, name)


def test_a_wrong_size_in_the_file_hides_nothing() -> None:
    def lie(xml: bytes) -> bytes:
        return re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"', xml)

    assert read_table(change_part(build(ROWS), "xl/worksheets/sheet1.xml", lie)).rows == 4


def test_of_many_rows_a_sample_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_file, "max_rows", lambda _columns: 40)
    raw = read_table(build([["a", "b"], *[[float(k), k % 7] for k in range(400)]]))
    sizes = read_column(raw, "a")
    assert len(sizes) == 40 and sizes == sorted(sizes) and max(sizes) > 200 and len(set(sizes)) == 40
    assert any("400" in note for note in raw.reading_notes)


def build_bomb() -> bytes:
    """A small file whose last part says that it unpacks to two gigabytes."""
    data = bytearray(build(ROWS))
    record = data.rfind(b"PK\x01\x02")
    data[record + 24 : record + 28] = (2**31 - 1).to_bytes(4, "little")
    return bytes(data)


def build_far_row() -> bytes:
    """A sheet whose second row claims to be the thousand millionth."""
    data = build([["a", "b"], [1, 2], [3, 4]])
    return change_part(data, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'<row r="3"', b'<row r="1000000000"'))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (build_bomb, "too large"),
        (build_far_row, "too large"),
        (lambda: build(ROWS)[:-200], "damaged"),
        (lambda: change_part(build(ROWS), "xl/workbook.xml", lambda xml: xml[:50]), "damaged"),
        (lambda: change_part(build(ROWS), "xl/worksheets/sheet1.xml", lambda xml: xml[:400]), "damaged"),
        (lambda: build([["one"], [1], [2]]), "No sheet"),
        (lambda: build([]), "No sheet"),
        (lambda: build([["a", "b"]]), "No sheet"),
        (lambda: build([[1.5, 2.5], [3.5, 4.5], [1.0, 2.0]]), "must name the columns"),
    ],
    ids=["bomb", "far row", "cut", "no workbook", "half a sheet", "one column", "empty", "only names", "no names"],
)
def test_refused_in_words(data: Callable[[], bytes], message: str) -> None:
    with pytest.raises(InvalidTable, match=message) as caught:
        read_table(data(), "table.xlsx")
    text = str(caught.value)
    assert text[0].isupper() and text.endswith(".") and len(text) < 300


def test_too_many_cells_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_file, "MAX_CELLS", 10)
    with pytest.raises(InvalidTable, match="too large"):
        read_table(build(ROWS))


def test_changed_bytes_end_in_a_table_or_a_sentence() -> None:
    sound, rng, refused = build(ROWS), np.random.default_rng(0), 0
    for _ in range(60):
        data = bytearray(sound)
        for place in rng.integers(len(data), size=4):
            data[place] = rng.integers(256)
        try:
            read_table(bytes(data))
        except InvalidTable:
            refused += 1
    assert refused > 10


def test_another_zip_is_no_workbook() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("content.xml", "<a/>")
    with pytest.raises(InvalidTable, match="zip file"):
        read_table(out.getvalue())
