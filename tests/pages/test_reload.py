"""A reload is a new session that opens the same address: own pictures and tables stay, or it says why not."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.frame import kept_uploads
from pages.ui.tables import table_choice
from tests.pages.conftest import HOME
from tests.pages.page_reader import check_page, picture_title
from tests.pages.tables.page_reader import DATA, finish_work

Open = Callable[..., AppTest]
SMALL = {"model": "small_cnn", "sample": "digit_3"}
CSV = b"size,kind\n" + b"".join(b"%.1f,%s\n" % (1.7 * k % 5, b"ab"[k % 2 : k % 2 + 1]) for k in range(30))


@pytest.fixture(autouse=True)
def browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """One browser: AppTest has no cookies."""
    monkeypatch.setattr(kept_uploads, "browser_id", lambda: "this browser")


def encode_png(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (60, 80, 3), dtype=np.uint8)).save(out, "PNG")
    return out.getvalue()


def upload_picture(open_app: Open, seed: int) -> AppTest:
    at = open_app(HOME, **SMALL)
    at.file_uploader(key="upload_sidebar_0").upload("mine.png", encode_png(seed), "image/png")
    at.run()
    return check_page(at)


def read_address(at: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in at.query_params.items()}


def list_warnings(at: AppTest) -> list[str]:
    return [box.value for box in at.main.warning]


def test_an_own_picture_is_still_there_after_a_reload(open_app: Open) -> None:
    before = upload_picture(open_app, 1)
    address = read_address(before)
    assert len(address["keep"]) >= 20, "nobody guesses it"
    after = check_page(open_app(HOME, **address))
    assert picture_title(after) == "mine.png"
    expected = xai_core.image_sha256(xai_core.read_image(encode_png(1)))
    assert after.session_state["own_picture"] == expected
    assert list_warnings(after) == [] and read_address(after) == address


def test_an_own_table_is_still_there_after_a_reload(open_app: Open) -> None:
    at = open_app(DATA)
    at.file_uploader(key="table_file_0").upload("mine.csv", CSV, "text/csv")
    before = finish_work(at.run())
    after = check_page(finish_work(open_app(DATA, **read_address(before))))
    assert [box.value for box in after.main.metric] == [box.value for box in before.main.metric]
    assert after.main.metric[0].value == "30"


def test_after_a_reload_another_encoding_needs_the_file_and_says_so(open_app: Open) -> None:
    at = open_app(DATA)
    at.file_uploader(key="table_file_0").upload("mine.csv", CSV, "text/csv")
    before = finish_work(at.run())
    assert any(box.label.startswith("Read as") for box in before.main.selectbox)
    after = check_page(finish_work(open_app(DATA, **read_address(before))))
    assert not any(box.label.startswith("Read as") for box in after.main.selectbox), "it would change nothing"
    assert [text.value for text in after.main.caption].count(table_choice.ENCODING_NEEDS_FILE) == 1


def test_back_to_the_samples_leaves_no_handle(open_app: Open) -> None:
    at = upload_picture(open_app, 2)
    handle = read_address(at)["keep"]
    next(button for button in at.sidebar.button if button.label == "Back to the samples").click()
    assert "keep" not in read_address(check_page(at.run()))
    gone = check_page(open_app(HOME, keep=handle, **SMALL))
    assert list_warnings(gone) == [kept_uploads.GONE], "deleted, and not only out of the address"


@pytest.mark.parametrize("case", ["unknown", "late", "another browser", "no cookie"])
def test_what_is_gone_is_said_until_the_visitor_goes_on(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    handle, expected = "never_given_to_anybody", kept_uploads.GONE
    if case != "unknown":
        handle = read_address(upload_picture(open_app, 3))["keep"]
    if case == "late":
        monkeypatch.setattr(kept_uploads, "MAX_IDLE_S", -1.0)
    if case == "another browser":
        monkeypatch.setattr(kept_uploads, "browser_id", lambda: "somebody else")
        expected = kept_uploads.ANOTHER_BROWSER
    if case == "no cookie":
        monkeypatch.setattr(kept_uploads, "browser_id", lambda: "")
    at = check_page(open_app(HOME, keep=handle, **SMALL))
    assert picture_title(at) != "mine.png" and list_warnings(at) == [expected]
    assert "keep" not in read_address(at), "the address says what is shown"
    assert list_warnings(check_page(at.run())) == [expected], "not only for a moment"
    at.button(key="close_keep_problem").click()
    assert list_warnings(check_page(at.run())) == []


def test_links_to_other_pages_do_not_carry_the_handle(open_app: Open) -> None:
    at = upload_picture(open_app, 4)
    handle = read_address(at)["keep"]
    assert not any(handle in str(link.proto) for link in at.sidebar.get("page_link"))  # type: ignore[attr-defined]
