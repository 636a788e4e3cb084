"""Numbers as offices write them: marks decided over the file, units, currencies and minus signs, each with a note."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.tabular.reading.column_file import read_cells
from xai_core.tabular.reading.read import read_table

POINTS, COMMAS = {"rate": ["90.1", "7.25"]}, {"rate": ["90,1", "7,25"]}
# Counts to 99,000 as Italy writes them.
COUNTS = [512, 48, *range(101, 99_000, 1237)]
DOT, COMMA = "The dot was read as a mark between thousands", "The comma was read as a mark between thousands"
DECIMAL = "The comma was read as the decimal mark"


def group(number: int, mark: str) -> str:
    return f"{number:,}".replace(",", mark)


@pytest.mark.parametrize("delimiter", [";", ","])
@pytest.mark.parametrize("beside", [None, COMMAS])
def test_dots_between_thousands_are_no_decimal_points(beside: dict[str, list[str]] | None, delimiter: str) -> None:
    raw, read = read_cells([group(count, ".") for count in COUNTS], delimiter, beside=beside)
    assert read.tolist() == COUNTS
    assert f"{DOT} in 'x'." in raw.notes


@pytest.mark.parametrize(
    ("cells", "beside", "numbers", "note"),
    [
        (["1.199", "704"], COMMAS, [1199, 704], f"{DOT} in 'x'."),
        (["1.199", "2.050"], COMMAS, [1199, 2050], f"{DOT} in 'x'."),
        (["1.199", "2.050"], {"a": ["90,1"], "b": ["7,5"], "c": ["1.5"]}, [1199, 2050], f"{DOT} in 'x'."),
        (["512", "1.101"], None, [512, 1101], f"{DOT} in 'x'."),
        (["1.5", "1.234", "2"], None, [1.5, 1.234, 2], ""),
        (["1.5", "1.234", "704"], COMMAS, [1.5, 1.234, 704], ""),
        (["0.123", "1.234", "704"], None, [0.123, 1.234, 704], ""),
        (["1.199", "1704"], None, [1.199, 1704], "The dot in 'x' was read as the decimal mark, so 1.199"),
        (["1.199", "2.050"], None, [1.199, 2.05], "The dot in 'x' was read as the decimal mark, so 1.199"),
        (["1.199", "2.050"], POINTS, [1.199, 2.05], ""),
        (["1,199", "2,050"], POINTS, [1199, 2050], f"{COMMA} in 'x'."),
        (["1,199", "2,050"], COMMAS, [1.199, 2.05], f"{DECIMAL} in 'x', 'rate'."),
        (["1,199", "704"], None, [1199, 704], f"{COMMA} in 'x'."),
        (["1,199", "2,050"], None, [1.199, 2.05], "The comma in 'x' was read as the decimal mark, so 1,199"),
        (["1,5", "2,050", "704"], None, [1.5, 2.05, 704], f"{DECIMAL} in 'x'."),
        (["1.199,5", "2.050"], None, [1199.5, 2050], f"{DECIMAL} in 'x'."),
        (["1.199.300", "2.050"], None, [1_199_300, 2050], f"{DOT} in 'x'."),
        (["1,199.5", "2,050"], None, [1199.5, 2050], f"{COMMA} in 'x'."),
        (["€ 1.199", "€ 2.050"], None, [1199, 2050], f"{DOT} in 'x'."),
    ],
)
def test_marks_are_decided_over_the_file(
    cells: list[str], beside: dict[str, list[str]] | None, numbers: list[float], note: str
) -> None:
    raw, read = read_cells(cells, beside=beside)
    assert read.tolist() == numbers
    about_x = [text for text in raw.notes if "'x'" in text]
    assert about_x[0].startswith(note) if note else not about_x, raw.notes


def test_many_counts_outweigh_the_point_of_another_column() -> None:
    raw, read = read_cells([group(count, ".") for count in COUNTS], ",", beside=POINTS)
    assert read.tolist() == COUNTS and f"{DOT} in 'x'." in raw.notes


def test_three_decimals_beside_other_decimals_stay_fractions() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.uniform(1, 900, 200).round(3)
    raw, read = read_cells([f"{number:g}" if number < 100 else f"{number:.6g}" for number in numbers])
    assert read.max() < 1000 and raw.notes == ()


@pytest.mark.parametrize(
    ("cell", "number", "note"),
    [
        ("12%", 12, "The percent sign was left out (12% is 12)"),
        ("12,5 %", 12.5, "The percent sign was left out (12% is 12)"),
        ("$1,234.50", 1234.5, "The currency '$' was left out"),
        ("1.234,50 €", 1234.5, "The currency '€' was left out"),
        ("CHF 1'234.50", 1234.5, "The currency 'CHF' was left out"),
        ("1’234.50", 1234.5, "The apostrophe was read as a mark between thousands"),
        ("£3.75", 3.75, "The currency '£' was left out"),
        ("¥500", 500, "The currency '¥' was left out"),
        ("12 kr.", 12, "The currency 'kr.' was left out"),
        ("1 234,50 zł", 1234.5, "The currency 'zł' was left out"),
        ("R$ 1.234,56", 1234.56, "The currency 'R$' was left out"),
        ("USD 1,000.00", 1000, "The currency 'USD' was left out"),
        ("₹1,23,456", 123_456, "The currency '₹' was left out"),
        ("1,23,456", 123_456, COMMA),
        ("1 234 567", 1_234_567, "The blank was read as a mark between thousands"),
        ("1\u202f234,50", 1234.5, "The blank was read as a mark between thousands"),
        ("1\u00a0234", 1234, "The blank was read as a mark between thousands"),
        ("1\u2009234", 1234, "The blank was read as a mark between thousands"),
        ("\u2212125.5", -125.5, "The long dash was read as a minus sign"),
        ("–5", -5, "The long dash was read as a minus sign"),
        ("5.25-", -5.25, "The minus sign behind a number was read as one before it"),
        ("(3.25)", -3.25, "Brackets around a number were read as a minus sign"),
        ("($1,234)", -1234, "Brackets around a number were read as a minus sign"),
        ("-$5.20", -5.2, "The currency '$' was left out"),
        ("1,5E+03", 1500, DECIMAL),
        (",5", 0.5, DECIMAL),
        ("12 kg", 12, "The unit 'kg' was left out"),
        ("5.1 [mm]", 5.1, "The unit 'mm' was left out"),
        ("30°C", 30, "The unit '°C' was left out"),
        ("36 months", 36, "The unit 'months' was left out"),
        ("٣٫٥", 3.5, "Digits of another script were read as 0 to 9"),
        ("１２３", 123, "Digits of another script were read as 0 to 9"),
        ("17:30", 17.5, "Times were read as hours (17:30 is 17.5)"),
        ("5:30 PM", 17.5, "Times were read as hours (17:30 is 17.5)"),
    ],
)
def test_signs_and_words_around_numbers(cell: str, number: float, note: str) -> None:
    raw, read = read_cells([cell] * 3)
    assert raw.column("x").kind == "numeric"
    assert read.tolist() == [pytest.approx(number, abs=1e-12)] * 3
    assert f"{note} in 'x'." in raw.notes


@pytest.mark.parametrize(
    "cells",
    [
        ["12 Main Street", "5 Oak Street"],
        ["192.168.1.1", "10.0.0.1"],
        ["1.2.3", "1.10.0"],
        ["01234", "12345"],
        ["030 123 456", "040 222 333"],
        ["12A", "13A"],
        ["12-3", "13-4"],
        ["18-25", "26-35"],
        ["10+ years", "< 1 year", "2 years"],
        ["3:2", "1:0"],
        ["1_000", "2_000"],
        ["12,34,5", "1,2,3"],
    ],
)
def test_texts_with_digits_stay_texts(cells: list[str]) -> None:
    raw, read = read_cells(cells)
    assert raw.column("x").kind == "category" and read.tolist() == cells


@pytest.mark.parametrize("cells", [["12 kg", "300 g"], ["$5", "€6", "$7"], ["12%", "3 kg"]])
def test_different_units_stay_texts_and_are_named(cells: list[str]) -> None:
    raw, read = read_cells(cells * 5)
    assert read.tolist() == cells * 5
    assert raw.notes[0].startswith("Column 'x' is kept as text: its numbers have different units (")


def test_a_few_cells_with_another_unit_are_missing_and_named() -> None:
    raw, read = read_cells([*["12 kg", "13 kg"] * 20, "300 g"])
    assert read.tolist()[:-1] == [12, 13] * 20 and math.isnan(read.iloc[-1])
    assert "Column 'x' holds numbers; 1 cell ('300 g') is not, and counted as missing." in raw.notes


def test_a_currency_in_some_rows_alone_is_left_out() -> None:
    assert read_cells(["$1,234", "567", "$890"])[1].tolist() == [1234, 567, 890]


@pytest.mark.parametrize(
    ("cells", "is_text"),
    [
        (["1577134800018226901", "1577134800018226960"], True),
        (["9007199254740993", "9007199254740992"], True),
        (["1.577.134.800.018.226.901", "2"], True),
        (["9007199254740992", "9007199254740990"], False),
        (["1.5e20", "2.25e19"], False),
    ],
)
def test_whole_numbers_that_floats_cannot_hold_stay_texts(cells: list[str], is_text: bool) -> None:
    raw, read = read_cells(cells)
    assert read.tolist() == (cells if is_text else [float(cell) for cell in cells])
    assert any("too many digits" in note for note in raw.notes) == is_text
    assert not any("every row says the same" in note for note in raw.notes)


@pytest.mark.parametrize(
    ("cells", "counts"),
    [(["-999", "5", "7.5", "12"], 1), (["999", "5", "7.5", "512"], 0), (["-9", "-8", "4", "1.5"], 0)],
)
def test_numbers_that_may_stand_for_no_value_are_named_and_stay(cells: list[str], counts: int) -> None:
    raw, read = read_cells(cells * 6)
    assert read.tolist() == [float(cell) for cell in cells] * 6
    notes = [note for note in raw.notes if "Far from all other numbers" in note]
    assert len(notes) == counts
    assert not counts or "-999 in 6 rows of 'x'" in notes[0]


def test_decimal_commas_in_every_column_do_not_part_the_cells() -> None:
    numbers = np.random.default_rng(0).uniform(0, 1e6, (300, 5)).round(2)
    rows = ["a;b;c;d;e", *(";".join(f"{number:.2f}".replace(".", ",") for number in row) for row in numbers)]
    frame = read_table("\n".join(rows).encode()).frame
    np.testing.assert_allclose(frame.to_numpy(), numbers)
