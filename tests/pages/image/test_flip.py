"""The page of counterfactuals: every way answers or says why not, beside the contrast."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Open
from tests.pages.page_reader import check_page, run_until

PAGE = "pages/image/flip.py"
SMALL = {"model": "small_cnn", "sample": "digit_3", "set": "digits"}


def texts(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html"))


def test_pieces_to_hide_stand_beside_the_contrast(open_app: Open) -> None:
    at = open_app(PAGE, **SMALL, wish="8", flip_hide_segments="9", flip_hide_pieces="windows", flip_filling="black")
    at = check_page(run_until(at, lambda at: "grey levels" in texts(at) and "The model was asked about" in texts(at)))
    assert "the model says" in texts(at) and "of 255 grey levels" in texts(at)
    next(group for group in at.button_group if group.key == "flip_view").set_value("nearest")
    at = check_page(run_until(at.run(), lambda at: sum("Distance" in c for c in captions(at)) == 2))
    assert any(caption.startswith("8; the model says") for caption in captions(at))


def captions(at: AppTest) -> list[str]:
    return [image.proto.imgs[0].caption for image in at.main.get("image") if image.proto.imgs]


def test_what_cannot_be_done_is_said_in_words(open_app: Open) -> None:
    at = check_page(run_until(open_app(PAGE, **SMALL, wish="3"), lambda at: "already" in texts(at)))
    assert "Choose another class to aim at." in texts(at)
    at = open_app(PAGE, **SMALL, wish="8", flip_view="swap")
    check_page(run_until(at, lambda at: "cells of two pictures cannot be swapped" in texts(at)))
