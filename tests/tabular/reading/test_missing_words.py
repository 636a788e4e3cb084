"""Words for no value, and the same words where they are values."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.tabular.reading.column_file import read_cells


@pytest.mark.parametrize("word", ["NA", "n.a.", ".", "?", "-", "--", "k.A.", "#DIV/0!", "NULL", "NaN"])
@pytest.mark.parametrize("values", [["1.5", "2"], ["2024-01-31", "2024-02-28"]], ids=["numbers", "dates"])
def test_words_among_numbers_and_dates_are_missing_and_named(word: str, values: list[str]) -> None:
    raw, read = read_cells([*values, word] * 5)
    assert read.isna().tolist() == [False, False, True] * 5
    assert f"{word!r} was taken for no value in 5 rows of 'x'." in raw.notes


@pytest.mark.parametrize("word", ["?", "-", "--"])
def test_signs_among_words_are_categories_as_in_pandas(word: str) -> None:
    raw, read = read_cells(["Private", "Gov", word] * 5)
    assert read.tolist() == ["Private", "Gov", word] * 5
    assert raw.column("x").missing == 0
    assert f"{word!r} was kept as a value of its own in 5 rows of 'x'." in raw.notes


@pytest.mark.parametrize(
    ("cells", "is_value"),
    [
        (["NA", "EU", "AS", "AF"], True),
        (["Gd", "TA", "NA", "Ex"], True),
        (["na", "us", "de"], True),
        (["NA", "red", "blue"], False),
        (["NA", "M", "F"], False),
        (["NA", "yes", "no"], False),
        (["NA", "EU"], False),
    ],
)
def test_na_is_a_value_among_codes_of_two_letters(cells: list[str], is_value: bool) -> None:
    raw, read = read_cells(cells * 15)
    word = next(cell for cell in cells if cell.lower() == "na")
    assert read.isna().sum() == (0 if is_value else 15)
    verb = "kept as a value of its own" if is_value else "taken for no value"
    assert f"{word!r} was {verb} in 15 rows of 'x'." in raw.notes


def test_a_target_of_codes_keeps_its_class_na() -> None:
    raw, _ = read_cells(["NA", "EU", "AS", "AF"] * 15, beside={"gdp": [str(row % 7) for row in range(60)]})
    table = raw.table("x")
    assert len(table) == 60 and table.classes == ("AF", "AS", "EU", "NA")


def test_other_words_of_a_text_are_missing_as_in_pandas() -> None:
    cells = ["a", "b", "None", "NaN", "null", "N/A", "#N/A", "<NA>", ""]
    _, read = read_cells(cells)
    assert read.dropna().tolist() == ["a", "b", "None"]
    assert pd.isna(read).sum() == 6
