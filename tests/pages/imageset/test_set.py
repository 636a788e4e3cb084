"""Choosing a picture set: those that come along, an own zip, good and bad, and what a page says where something is missing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.ui.widgets.words import escape_markdown
from tests.pages.imageset.page_reader import DIGITS, SCORES, SET, component, press, said, select, settled, table, tiles
from tests.pages.imageset.zip_of_digits import ROWS, png, zipped
from tests.pages.page_reader import fine, picture, until
from xai_core import imageset

Open = Callable[..., AppTest]


def uploaded(open_app: Open, data: bytes, name: str = "mine.zip", **link: str) -> AppTest:
    at = settled(open_app(SET, **link))
    at.file_uploader(key="set_file").upload(name, data, "application/zip")
    return settled(at.run())


def metrics(at: AppTest) -> list[str]:
    return [metric.value for metric in at.main.metric]


def harmless(at: AppTest) -> None:
    """No foreign name became markup."""
    assert not any("<img" in each.proto.body for each in at.main.get("html"))  # type: ignore[attr-defined]
    assert not any(
        "**bold**" in each.value for kind in ("markdown", "caption", "subheader") for each in getattr(at.main, kind)
    )


def test_a_set_that_comes_along(open_app: Open) -> None:
    at = settled(open_app(SET, **DIGITS))
    assert metrics(at) == ["1,797", "10", "0"]
    digits = imageset.load_set("digits")
    assert table(at, "classes_")["Pictures"].tolist() == np.bincount(digits.labels).tolist()
    assert tiles(at) == list(range(48))
    at = press(at, "Next")
    assert tiles(at) == list(range(48, 96))
    at = select(at, digits.id, list(range(60)))
    assert len(tiles(at)) == 48 and "60 pictures: some" in said(at)
    at = press(at, "Next")
    assert tiles(at) == list(range(48, 60)), "the last page is short"
    at = press(at, "Show all")
    assert tiles(at) == list(range(48))


def test_another_set_brings_the_model_it_is_meant_for(open_app: Open) -> None:
    at = until(open_app(SCORES, set="digits"), lambda at: "knows none of the labels" in said(at))
    assert at.session_state["model"] == "efficientnet_lite0"
    button = next(each for each in at.main.button if each.label.startswith("Use "))
    at = settled(button.click().run())
    assert at.session_state["model"] == "small_cnn" and "knows none" not in said(at)


def test_a_picture_is_shown_large_and_explained(open_app: Open) -> None:
    at = settled(open_app(SET, **DIGITS))
    digits = imageset.load_set("digits")
    at.session_state["looked_at"] = (digits.id, 7)
    at = settled(at.run())
    assert digits.names[7] in said(at) and "Label: 7. The model is right." in said(at)
    viewer = component(at, "set_picture")
    assert viewer is not None and [panel["id"] for panel in viewer["panels"]] == ["grad_cam"]
    next(each for each in at.main.button if each.label == "Explain this picture").click()
    at = fine(at.run())
    assert (at.title[0].value, picture(at)) == ("Explanations side by side", escape_markdown("0007.png"))


def test_the_picture_looked_at_is_in_the_link(open_app: Open) -> None:
    at = settled(open_app(SCORES, picture="7", **DIGITS))
    assert imageset.load_set("digits").names[7] in said(at) and at.query_params["picture"] == "7"
    at.switch_page(SET)
    at = settled(at.run())
    assert imageset.load_set("digits").names[7] in said(at)
    at.selectbox(key="set").set_value("photo_crops")
    at = settled(at.run())
    assert "Click a picture or a point" in said(at) and "picture" not in at.query_params, (
        "row 7 of another set is another picture"
    )
    for odd in ("-1", "9999", "x", "7.5"):
        at = settled(open_app(SET, picture=odd, **DIGITS))
        assert "Click a picture or a point" in said(at)


def test_an_own_zip(open_app: Open) -> None:
    at = uploaded(open_app, zipped(), **DIGITS)
    assert metrics(at) == [str(len(ROWS) + 1), "10", "1"]
    assert len(table(at, "classes_")) == 10
    assert any("torn.png" in str(frame.value) for frame in at.main.dataframe), "what could not be read is listed"
    harmless(at)
    found = imageset.find_set(at.query_params["set"])
    assert found is not None and len(found) == len(ROWS) + 1, "the link leads to the same set"
    again = settled(open_app(SET, set=found.id, model="small_cnn"))
    assert metrics(again) == metrics(at)
    at.session_state["looked_at"] = (found.id, next(row for row, name in enumerate(found.names) if "img" in name))
    harmless(settled(at.run()))


@pytest.mark.parametrize(("size", "wide"), [((40, 400), 40), ((400, 40), 320), ((90, 100), 320), ((100, 150), 266)])
def test_a_tall_picture_leaves_room_for_what_is_said_of_it(
    open_app: Open, size: tuple[int, int], wide: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, drawn, image = io.BytesIO(), {}, st.image
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("one.png", png(Image.new("RGB", size, "teal")))
    monkeypatch.setattr(
        st, "image", lambda what, **how: (drawn.update({how["alt"]: how["width"]}), image(what, **how))[1]
    )
    at = uploaded(open_app, file.getvalue(), **DIGITS)
    at.session_state["looked_at"] = (at.query_params["set"], 0)
    settled(at.run())
    assert drawn["Picture: one.png"] == wide


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a zip"),
        (b"PK\x03\x04 torn", "not a zip"),
        (b"PK\x05\x06" + bytes(18), "There is no picture in this zip"),
    ],
    ids=["empty", "torn", "no picture"],
)
def test_a_bad_zip_gets_a_sentence_and_changes_nothing(open_app: Open, data: bytes, words: str) -> None:
    at = uploaded(open_app, data, "bad.zip", **DIGITS)
    assert metrics(at) == ["1,797", "10", "0"]
    assert at.query_params == DIGITS
    assert words in said(at)


def test_pictures_without_labels_are_told_apart(open_app: Open) -> None:
    at = uploaded(open_app, zipped(folders=False, broken=False), **DIGITS)
    assert metrics(at) == [str(len(ROWS)), "0", "0"]
    assert "have no labels" in said(at)
    at.switch_page(SCORES)
    at = settled(at.run())
    assert "nobody can count its right answers" in said(at)


def test_a_set_that_is_gone_is_told(open_app: Open) -> None:
    at = uploaded(open_app, zipped(rows=ROWS[:8], broken=False), **DIGITS)
    imageset.forget_set(at.query_params["set"])
    at.switch_page(SCORES)
    at = settled(at.run())
    assert "no longer kept" in said(at)
    at.switch_page(SET)
    for _ in range(2):
        at = settled(at.run())
        assert metrics(at)[0] == "240" and not at.exception, "another one can be chosen"
    link = settled(open_app(SET, set="0" * 24))
    assert "no longer kept" in said(link) and link.query_params == {}, "and so it is said of a link to it"


def test_a_set_can_be_left_with_an_upload_and_a_folder_on_the_page(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHYBOX_SETS", str(tmp_path))
    (tmp_path / "one.png").write_bytes(png(Image.new("RGB", (20, 20), "teal")))
    at = uploaded(open_app, zipped(), **DIGITS)
    zipped_set = at.query_params["set"]
    at.text_input(key="set_folder").set_value(str(tmp_path))
    at = settled(at.run())
    assert metrics(at)[0] == "1"
    for name, count in (("photo_crops", "240"), (zipped_set, str(len(ROWS) + 1)), ("digits", "1,797")):
        at.selectbox(key="set").set_value(name)
        at = settled(at.run())
        assert metrics(at)[0] == count


def test_the_same_pictures_have_each_visitors_own_name(open_app: Open) -> None:
    first = uploaded(open_app, zipped(), "annas holiday.zip", **DIGITS)
    second = uploaded(open_app, zipped(), "berts.zip", **DIGITS)
    assert first.query_params["set"] == second.query_params["set"]
    second.switch_page(SCORES)
    second = settled(second.run())
    assert "berts · " in said(second) and "anna" not in said(second)
