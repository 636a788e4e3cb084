"""The visitor's own picture in the sidebar: notes on how it was read, and light and dark swapped on request."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

import xai_core
from tests.pages.conftest import COMPARE
from tests.pages.page_reader import check_page, picture_title

Open = Callable[..., AppTest]
UPLOADER = "upload_sidebar_0"
INVERT, AS_IT_IS = "Invert my picture", "Show my picture as it is"


def encode_png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def draw_digit(paper: int = 240, ink: int = 30) -> Image.Image:
    """Draw a one: a stroke on a plain ground."""
    image = Image.new("L", (96, 96), paper)
    ImageDraw.Draw(image).line((48, 18, 48, 78), fill=ink, width=10)
    return image


def upload(at: AppTest, name: str, data: bytes) -> AppTest:
    at.file_uploader(key=UPLOADER).upload(name, data, "image/png")
    return check_page(at.run())


def list_buttons(at: AppTest) -> list[str]:
    return [button.label for button in at.sidebar.button]


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.sidebar.button if button.label == label).click()
    return check_page(at.run())


def test_dark_ink_on_paper_is_swapped_by_one_click_and_back(open_app: Open) -> None:
    at = upload(open_app(COMPARE, model="small_cnn"), "one.png", encode_png(draw_digit()))
    original = at.session_state["own_picture"]
    press(at, INVERT)
    assert picture_title(at) == "one.png, light and dark swapped" and INVERT not in list_buttons(at)
    negative = draw_digit(255 - 240, 255 - 30).convert("RGB")
    assert at.session_state["own_picture"] == xai_core.image_sha256(negative), "every level is 255 less the old one"
    press(at, AS_IT_IS)
    assert at.session_state["own_picture"] == original and picture_title(at) == "one.png"


@pytest.mark.parametrize(
    ("model", "image"),
    [("small_cnn", draw_digit(15, 225)), ("efficientnet_lite0", draw_digit())],
    ids=["light ink", "a model of photos"],
)
def test_it_is_not_offered_where_nothing_is_to_be_swapped(open_app: Open, model: str, image: Image.Image) -> None:
    assert INVERT not in list_buttons(upload(open_app(COMPARE, model=model), "one.png", encode_png(image)))


def test_how_a_file_was_read_is_said_and_goes_with_it(open_app: Open) -> None:
    levels = np.linspace(0, 4095, 64 * 64).reshape(64, 64).astype(np.uint16)
    data = encode_png(Image.fromarray(levels))
    (note,) = xai_core.read_image_file(data).notes
    at = upload(open_app(COMPARE), "x-ray.png", data)
    assert any(note in str(element.proto.body) for element in at.sidebar.get("html"))
    press(at, "Back to the samples")
    assert not any(note in str(element.proto.body) for element in at.sidebar.get("html"))
