"""Files of the wrong kind: one style, right below the uploader, the reason in the text; no ending is refused unread."""

from __future__ import annotations

import io
from collections.abc import Callable

import openpyxl  # type: ignore[import-untyped]  # ships no types
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.imageset import set_choice
from pages.ui.tables import table_choice
from tests.pages.conftest import COMPARE, HOME
from tests.pages.imageset.page_reader import SET
from tests.pages.page_reader import check_page, list_errors, list_upload_problems
from tests.pages.tables.page_reader import DATA, finish_work
from xai_core.images import sources

Open = Callable[..., AppTest]
PLACES = {
    "picture at the start": (HOME, "upload_home_0"),
    "picture in the sidebar": (COMPARE, "upload_sidebar_0"),
    "table": (DATA, "table_file_0"),
    "set": (SET, "set_file"),
}
WRONG = {"letter.docx": b"PK\x03\x04 no such thing", "x.xyz": b"\x00\x01\x02" * 40, "empty.txt": b""}


@pytest.mark.parametrize("file", WRONG)
@pytest.mark.parametrize("place", PLACES)
def test_a_file_of_the_wrong_kind_is_refused_below_the_uploader(open_app: Open, place: str, file: str) -> None:
    page, key = PLACES[place]
    at = open_app(page, model="small_cnn", sample="digit_3", set="digits", table="iris")
    uploader = at.file_uploader(key=key)
    assert list(uploader.proto.type) == [], "the browser would show the reason on hover only"
    uploader.upload(file, WRONG[file], "application/octet-stream")
    at = finish_work(at.run())
    (problem,) = list_upload_problems(check_page(at))
    assert problem[0].isupper() and problem.endswith(".") and len(problem) > 25
    assert list_errors(at) == []


@pytest.mark.parametrize("place", PLACES)
def test_a_file_above_the_limit_is_refused_below_the_uploader(
    open_app: Open, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With limits of a megabyte, for the test's sake."""
    for module in (table_choice, set_choice):
        monkeypatch.setattr(module, "MAX_UPLOAD_MB", 1)
    monkeypatch.setattr(sources, "MAX_BYTES", 2**20)
    page, key = PLACES[place]
    at = open_app(page, model="small_cnn", sample="digit_3", set="digits", table="iris")
    uploader = at.file_uploader(key=key)
    assert uploader.proto.max_upload_size_mb > 1, "a file just above the limit comes here"
    uploader.upload("large.bin", bytes(2**20 + 1), "application/octet-stream")
    at = finish_work(at.run())
    (problem,) = list_upload_problems(check_page(at))
    assert problem.startswith("This file is larger than ") and "the most allowed" in problem
    assert list_errors(at) == []


def test_a_table_of_excel_is_read_on_the_page(open_app: Open) -> None:
    book = openpyxl.Workbook()
    for row in (["size", "kind"], *[[1.7 * k % 5, "ab"[k % 2]] for k in range(30)]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    at = open_app(DATA)
    at.file_uploader(key="table_file_0").upload("my table.xlsx", out.getvalue(), "application/octet-stream")
    at = finish_work(at.run())
    assert list_upload_problems(at) == []
    assert at.main.metric[0].value == "30"
