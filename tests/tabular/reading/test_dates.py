"""Dates and times in the forms that offices, programs and people write."""

from __future__ import annotations

import math
from datetime import datetime, timezone

import numpy as np
import pandas as pd
import pytest

from tests.tabular.reading.column_file import read_cells


def count_days(moment: str) -> float:
    return (datetime.fromisoformat(moment).replace(tzinfo=timezone.utc)).timestamp() / 86_400


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("12.01.2017 17:18", "2017-01-12T17:18"),
        ("31.12.2017 17:18:30", "2017-12-31T17:18:30"),
        ("31. 1. 2024", "2024-01-31"),
        ("Mo, 31.01.2024", "2024-01-31"),
        ("31.01.24", "2024-01-31"),
        ("13/09/2018 12:02:00", "2018-09-13T12:02"),
        ("09/13/2018 12:02:00 PM", "2018-09-13T12:02"),
        ("09/13/2018 12:02 AM", "2018-09-13T00:02"),
        ("14-05-2020", "2020-05-14"),
        ("05-14-2020", "2020-05-14"),
        ("24-May-2022 08:23:07", "2022-05-24T08:23:07"),
        ("24-Mai-2022", "2022-05-24"),
        ("24MAY2022", "2022-05-24"),
        ("24/May/2022:13:55:36 +0000", "2022-05-24T13:55:36"),
        ("5 Jan 2021", "2021-01-05"),
        ("5th January 2021", "2021-01-05"),
        ("January 5, 2021", "2021-01-05"),
        ("Jan. 5, 2021 3:07 PM", "2021-01-05T15:07"),
        ("Tue, 24 May 2022 08:23:07 GMT", "2022-05-24T08:23:07"),
        ("Tue May 24 08:23:07 2022", "2022-05-24T08:23:07"),
        ("5. März 2021", "2021-03-05"),
        ("5 maerz 2021".replace("ae", "a"), "2021-03-05"),
        ("5 février 2021", "2021-02-05"),
        ("1er décembre 2021", "2021-12-01"),
        ("5 de enero de 2021", "2021-01-05"),
        ("30/04/19", "2019-04-30"),
        ("04/30/69", "1969-04-30"),
        ("2024/1/31", "2024-01-31"),
        ("2024.01.31", "2024-01-31"),
        ("2024-1-31 7:05", "2024-01-31T07:05"),
        ("2024年1月31日", "2024-01-31"),
        ("20240131", "2024-01-31"),
        ("20240131T101500Z", "2024-01-31T10:15"),
        ("2024-01-31T10:15:00.500+02:00", "2024-01-31T08:15:00.500"),
        ("2024-01-31 24:00", "2024-02-01"),
        ("2024-W05", "2024-01-29"),
        ("2020-W53-7", "2021-01-03"),
        ("2024Q2", "2024-04-01"),
        ("01/2021", "2021-01-01"),
        ("Jan 2021", "2021-01-01"),
        ("2021-05", "2021-05-01"),
    ],
)
def test_forms_of_dates(cell: str, moment: str) -> None:
    raw, read = read_cells([cell, cell, ""])
    assert raw.column("x").kind == "date"
    np.testing.assert_allclose(read, [count_days(moment)] * 2 + [math.nan], atol=1e-9)
    assert any("two digits" in note for note in raw.notes) == (cell in ("31.01.24", "30/04/19", "04/30/69"))


@pytest.mark.parametrize(
    "form",
    ["%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d-%b-%Y %H:%M:%S", "%B %d, %Y", "%d-%m-%y"],
)
def test_a_year_of_dates_comes_back_as_pandas_reads_it(form: str) -> None:
    days = pd.date_range("2018-01-01", "2018-12-31", freq="37h")
    cells = days.strftime(form).tolist()
    expected = pd.to_datetime(pd.Series(cells), format=form)
    _, read = read_cells(cells)
    np.testing.assert_allclose(read, (expected - pd.Timestamp(0)) / pd.Timedelta(days=1), atol=1e-9)


def test_an_order_that_another_column_decides_is_taken_and_told() -> None:
    cells = ["01/02/2024 10:00", "03/04/2024 11:00"]
    raw, read = read_cells(cells, beside={"until": ["31/03/2024", "05/04/2024"]})
    np.testing.assert_allclose(read, [count_days("2024-02-01T10:00"), count_days("2024-04-03T11:00")], atol=1e-9)
    assert "The order of day and month was taken from the file's other dates in 'x'." in raw.notes


@pytest.mark.parametrize("beside", [None, {"a": ["31/03/2024", "05/04/2024"], "b": ["03/31/2024", "05/04/2024"]}])
@pytest.mark.parametrize(
    "cells", [["01/02/2024 10:00", "03/04/2024 11:00"], ["01-02-2019", "03-04-2019"], ["01/02/19", "03/04/19"]]
)
def test_dates_with_two_readings_stay_text_and_can_be_chosen(
    cells: list[str], beside: dict[str, list[str]] | None
) -> None:
    raw, read = read_cells(cells, beside=beside)
    assert read.tolist() == cells
    assert "could start with the day or with the month. Write them as 2024-01-31" in raw.notes[0]
    chosen = raw.with_roles({"x": "date"})
    assert chosen.column("x").kind == "date"
    assert [chosen.column("x").show(day)[5:10] for day in chosen.frame["x"]] == ["02-01", "04-03"]


def test_dotted_dates_start_with_the_day() -> None:
    raw, read = read_cells(["01.02.2024", "03.04.2024"])
    assert read.tolist() == [count_days("2024-02-01"), count_days("2024-04-03")]
    assert "The first number of each date was taken for the day in 'x'." in raw.notes
    assert read_cells(["31.02.2024", "31.01.2024"])[1].tolist() == ["31.02.2024", "31.01.2024"]


def test_a_typing_error_is_missing_and_told() -> None:
    raw, read = read_cells([*["31/01/2024", "01/02/2024"] * 15, "31/02/2024"])
    assert read.isna().sum() == 1
    assert "Column 'x' holds dates; 1 cell ('31/02/2024') is not, and counted as missing." in raw.notes


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1577134800", "1577134900"], "numeric"),
        (["2019", "2020"], "numeric"),
        (["202401", "202402"], "numeric"),
        (["Jan-21", "Feb-21"], "category"),
        (["house 12, 2020", "house 13, 2021"], "category"),
        (["2024-13-01", "2024-14-01"], "category"),
        (["32.01.2024", "33.01.2024"], "category"),
    ],
)
def test_what_is_no_date(cells: list[str], kind: str) -> None:
    raw, _ = read_cells(cells)
    assert raw.column("x").kind == kind
