"""Choosing a picture: sample, own file, and back; it is the same on every page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.page_reader import check_page, explained_class, find_search, list_upload_problems, picture_title

Open = Callable[..., AppTest]
HOME, COMPARE, EXPLAIN = "pages/start/home.py", "pages/image/compare.py", "pages/image/explain.py"
CATS = {"Egyptian cat", "tabby", "tiger cat"}


def press(at: AppTest, label: str) -> AppTest:
    return next(element for element in at.button if element.label == label).click().run()


def upload(at: AppTest, name: str, data: bytes, place: str = "sidebar", turn: int = 0) -> AppTest:
    at.file_uploader(key=f"upload_{place}_{turn}").upload(name, data, "image/jpeg")
    return check_page(at.run())


def test_switching_the_sample_asks_anew(open_app: Open) -> None:
    at = open_app(EXPLAIN)
    assert explained_class(at) == "espresso"
    find_search(at).set_value(3)
    at.run()
    assert explained_class(at) == "tiger shark"
    at.selectbox(key="sample").set_value("chelsea")
    check_page(at.run())
    assert picture_title(at) == "Cat"
    assert explained_class(at) in CATS
    assert at.query_params == {"sample": "chelsea"}


def test_own_picture_is_kept_on_every_page(open_app: Open, jpeg: bytes) -> None:
    at = upload(open_app(), "cat.jpg", jpeg, "home")
    for page in (COMPARE, EXPLAIN, HOME, COMPARE):
        check_page(at.switch_page(page).run())
        assert picture_title(at) == "cat.jpg"
    assert explained_class(at) in CATS


def test_a_broken_file_loses_nothing(open_app: Open, jpeg: bytes) -> None:
    at = upload(open_app(EXPLAIN), "cat.jpg", jpeg)
    find_search(at).set_value(285)
    at.run()
    before = (picture_title(at), explained_class(at), dict(at.query_params))
    upload(at, "notes.jpg", b"these are words, not a picture")
    assert "not a picture" in list_upload_problems(at)[0]
    assert (picture_title(at), explained_class(at), at.query_params) == before
    upload(at, "again.jpg", jpeg)
    assert (picture_title(at), list_upload_problems(at)) == ("again.jpg", [])


def test_back_to_the_samples(open_app: Open, jpeg: bytes) -> None:
    at = upload(open_app(EXPLAIN, sample="rocket"), "cat.jpg", jpeg)
    check_page(press(at, "Back to the samples"))
    assert (picture_title(at), explained_class(at)) == ("Rocket", "missile")
    assert at.file_uploader(key="upload_sidebar_1").value is None, "no uploader shows a file that is not in use"


def test_taking_the_file_away_goes_back_too(open_app: Open, jpeg: bytes) -> None:
    at = upload(open_app(EXPLAIN), "cat.jpg", jpeg)
    at.file_uploader(key="upload_sidebar_0").clear()
    check_page(at.run())
    assert (picture_title(at), explained_class(at)) == ("Coffee", "espresso")


def test_choosing_a_sample_replaces_the_own_picture(open_app: Open, jpeg: bytes) -> None:
    at = upload(open_app(EXPLAIN), "cat.jpg", jpeg)
    at.selectbox(key="sample").set_value("astronaut")
    assert picture_title(check_page(at.run())) == "Astronaut"


def test_a_picture_no_longer_kept_is_told(open_app: Open, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    at = upload(open_app(EXPLAIN), "cat.jpg", jpeg)
    at.session_state["own_picture"] = "gone"
    check_page(at.run())
    assert "no longer kept here" in list_upload_problems(at)[0]
    assert picture_title(at) == "Coffee"


def test_the_camera_can_be_opened_and_closed(open_app: Open) -> None:
    at = open_app(EXPLAIN)
    at.toggle(key="use_camera_sidebar").set_value(True)
    assert len(check_page(at.run()).camera_input) == 1
    at.toggle(key="use_camera_sidebar").set_value(False)
    assert len(check_page(at.run()).camera_input) == 0
    assert picture_title(at) == "Coffee"
