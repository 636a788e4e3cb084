"""The first page: four ways in, each leading on with what was chosen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.page_reader import check_page, explained_class, list_errors, list_upload_problems, picture_title

Open = Callable[..., AppTest]
HOME, EXPLAIN = "pages/start/home.py", "pages/image/explain.py"


def test_it_shows_four_ways_in(open_app: Open) -> None:
    at = check_page(open_app())
    assert [title.value[:2] for title in at.main.subheader] == ["1.", "2.", "3.", "4."]
    assert len(at.main.image) == 6
    assert all(image.proto.imgs[0].alt for image in at.image)
    assert at.query_params == {}, "a fresh visit has a bare address"


def test_one_row_names_what_else_there_is_and_keeps_the_choices(open_app: Open) -> None:
    at = check_page(open_app(sample="rocket"))
    links = {link.proto.page: link.proto for link in at.main.get("page_link")}
    assert list(links) == ["hide", "trust", "network", "cheater"]
    assert all(link.label for link in links.values())
    assert {link.query_string for link in links.values()} == {"sample=rocket"}


def test_one_click_on_a_sample_leads_to_its_comparison(open_app: Open) -> None:
    at = open_app(sample="coffee", seed="4")
    check_page(at.button(key="try_rocket").click().run())
    assert (at.title[0].value, picture_title(at)) == ("Explanations side by side", "Rocket")
    assert at.query_params == {"sample": "rocket", "seed": "4"}


def test_a_sample_can_be_left_for_another_one(open_app: Open) -> None:
    at = open_app(sample="rocket")  # with bind="query-params" this click raised: a bound setting was in the address
    check_page(at.button(key="try_astronaut").click().run())
    assert (picture_title(at), at.query_params) == ("Astronaut", {"sample": "astronaut"})


def test_another_sample_is_asked_about_its_own_first_guess(open_app: Open) -> None:
    at = open_app(sample="rocket", **{"class": "missile"})
    check_page(at.button(key="try_coffee").click().run())
    assert explained_class(at) == "espresso"
    assert at.query_params == {}


def test_explain_is_one_click_away(open_app: Open) -> None:
    at = open_app(sample="rocket")
    next(button for button in at.button if button.label == "Open Explain").click()
    check_page(at.run())
    assert (at.title[0].value, at.query_params) == ("One method, every setting", {"sample": "rocket"})


@pytest.mark.parametrize("place", ["home", "sidebar"])
def test_own_photo_is_explained_at_once(open_app: Open, jpeg: bytes, place: str) -> None:
    at = open_app(seed="4")
    at.file_uploader(key=f"upload_{place}_0").upload("my cat.jpg", jpeg, "image/jpeg")
    check_page(at.run())
    assert (at.title[0].value, picture_title(at)) == ("Explanations side by side", "my cat.jpg")
    assert {name: text for name, text in at.query_params.items() if name != "keep"} == {"seed": "4"}
    check_page(at.switch_page(HOME).run())
    assert at.title[0].value == "Why did the model say that?", "the start can be opened again"
    next(button for button in at.button if button.label == "Explain my photo").click()
    check_page(at.run())
    assert (at.title[0].value, picture_title(at)) == ("Explanations side by side", "my cat.jpg")


def test_a_photo_uploaded_elsewhere_does_not_lead_away_from_the_start(open_app: Open, jpeg: bytes) -> None:
    at = open_app(EXPLAIN)
    at.file_uploader(key="upload_sidebar_0").upload("my cat.jpg", jpeg, "image/jpeg")
    assert check_page(at.run()).title[0].value == "One method, every setting"
    check_page(at.switch_page(HOME).run())
    assert at.title[0].value == "Why did the model say that?"


@pytest.mark.parametrize(
    ("page", "boxes"),
    [
        (HOME, {"sample", "model"}),
        (EXPLAIN, {"sample", "model"}),
        ("pages/imageset/set.py", {"model"}),
        ("pages/tables/data.py", set()),
        ("pages/image/result.py", set()),
        ("pages/learn/status.py", set()),
    ],
)
def test_the_sidebar_offers_what_the_page_has_use_for(open_app: Open, page: str, boxes: set[str]) -> None:
    at = check_page(open_app(page, sample="rocket"))
    assert {box.key for box in at.sidebar.selectbox} == boxes
    assert len(at.sidebar.image) == ("sample" in boxes)
    assert at.query_params == {"sample": "rocket"}, "the choice stays in the link"


def test_a_broken_file_gets_one_sentence_beside_the_uploader(open_app: Open, jpeg: bytes) -> None:
    at = open_app()
    at.file_uploader(key="upload_home_0").upload("torn.jpg", jpeg[: len(jpeg) // 40], "image/jpeg")
    check_page(at.run())
    assert len(list_upload_problems(at)) == 1 and list_errors(at) == []
    assert "damaged or was cut off" in list_upload_problems(at)[0]
    assert picture_title(at) == "Coffee"
    assert not [button for button in at.button if button.label == "Explain my photo"]
