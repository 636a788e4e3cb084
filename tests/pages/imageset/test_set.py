"""Choice of a picture set: bundled ones, own zips, good and bad, and notes where something is missing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.ui.widgets.words import escape_markdown
from tests.pages.imageset.page_reader import (
    DIGITS,
    SCORES,
    SET,
    finish_work,
    list_tiles,
    press,
    read_component,
    read_table,
    read_text,
    select,
)
from tests.pages.imageset.zip_of_digits import ROWS, build_zip, encode_png
from tests.pages.page_reader import check_page, picture_title, run_until
from xai_core import imageset

Open = Callable[..., AppTest]


def upload_zip(open_app: Open, data: bytes, name: str = "mine.zip", **link: str) -> AppTest:
    at = finish_work(open_app(SET, **link))
    at.file_uploader(key="set_file").upload(name, data, "application/zip")
    return finish_work(at.run())


def find_list(at: AppTest) -> Any:
    """Return the list of sets."""
    return next(box for box in at.main.selectbox if box.label == "Picture set")


def list_metrics(at: AppTest) -> list[str]:
    return [metric.value for metric in at.main.metric]


def check_harmless(at: AppTest) -> None:
    """No foreign name became markup."""
    assert not any("<img" in element.proto.body for element in at.main.get("html"))  # type: ignore[attr-defined]
    assert not any(
        "**bold**" in element.value
        for kind in ("markdown", "caption", "subheader")
        for element in getattr(at.main, kind)
    )


def test_a_set_that_comes_along(open_app: Open) -> None:
    at = finish_work(open_app(SET, **DIGITS))
    assert list_metrics(at) == ["1,797", "10", "0"]
    digits = imageset.load_set("digits")
    assert read_table(at, "classes_")["Pictures"].tolist() == np.bincount(digits.labels).tolist()
    assert list_tiles(at) == list(range(48))
    at = press(at, "Next")
    assert list_tiles(at) == list(range(48, 96))
    at = select(at, digits.id, list(range(60)))
    assert len(list_tiles(at)) == 48 and "60 pictures: some" in read_text(at)
    at = press(at, "Next")
    assert list_tiles(at) == list(range(48, 60)), "the last page is short"
    at = press(at, "Show all")
    assert list_tiles(at) == list(range(48))


def test_another_set_brings_the_model_it_is_meant_for(open_app: Open) -> None:
    at = run_until(open_app(SCORES, set="digits"), lambda at: "knows none of the labels" in read_text(at))
    assert at.session_state["model"] == "efficientnet_lite0"
    button = next(element for element in at.main.button if element.label.startswith("Use "))
    at = finish_work(button.click().run())
    assert at.session_state["model"] == "small_cnn" and "knows none" not in read_text(at)


def test_a_picture_is_shown_large_and_explained(open_app: Open) -> None:
    at = finish_work(open_app(SET, **DIGITS))
    digits = imageset.load_set("digits")
    at.session_state["looked_at"] = (digits.id, 7)
    at = finish_work(at.run())
    assert digits.names[7] in read_text(at) and "Label: 7. The model is right." in read_text(at)
    viewer = read_component(at, "set_picture")
    assert viewer is not None and [panel["id"] for panel in viewer["panels"]] == ["grad_cam"]
    next(element for element in at.main.button if element.label == "Explain this picture").click()
    at = check_page(at.run())
    assert (at.title[0].value, picture_title(at)) == ("Explanations side by side", escape_markdown("0007.png"))


def test_the_picture_looked_at_is_in_the_link(open_app: Open) -> None:
    at = finish_work(open_app(SCORES, picture="7", **DIGITS))
    assert imageset.load_set("digits").names[7] in read_text(at) and at.query_params["picture"] == "7"
    at.switch_page(SET)
    at = finish_work(at.run())
    assert imageset.load_set("digits").names[7] in read_text(at)
    find_list(at).set_value("photo_crops")
    at = finish_work(at.run())
    assert "Click a picture or a point" in read_text(at) and "picture" not in at.query_params, (
        "row 7 of another set is another picture"
    )
    for odd in ("-1", "9999", "x", "7.5"):
        at = finish_work(open_app(SET, picture=odd, **DIGITS))
        assert "Click a picture or a point" in read_text(at)
        assert ("which has pictures 0 to 1796. None is opened." in read_text(at)) == (odd == "9999")


def test_an_own_zip(open_app: Open) -> None:
    at = upload_zip(open_app, build_zip(), **DIGITS)
    assert list_metrics(at) == [str(len(ROWS) + 1), "10", "1"]
    assert len(read_table(at, "classes_")) == 10
    assert any("torn.png" in str(frame.value) for frame in at.main.dataframe), "what could not be read is listed"
    check_harmless(at)
    dataset = imageset.find_set(at.query_params["set"])
    assert dataset is not None and len(dataset) == len(ROWS) + 1, "the link leads to the same set"
    again = finish_work(open_app(SET, set=dataset.id, model="small_cnn"))
    assert list_metrics(again) == list_metrics(at)
    at.session_state["looked_at"] = (dataset.id, next(row for row, name in enumerate(dataset.names) if "img" in name))
    check_harmless(finish_work(at.run()))


@pytest.mark.parametrize(("size", "wide"), [((40, 400), 40), ((400, 40), 320), ((90, 100), 320), ((100, 150), 266)])
def test_a_tall_picture_leaves_room_for_what_is_said_of_it(
    open_app: Open, size: tuple[int, int], wide: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, drawn, image = io.BytesIO(), {}, st.image
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("one.png", encode_png(Image.new("RGB", size, "teal")))
    monkeypatch.setattr(
        st, "image", lambda what, **how: (drawn.update({how["alt"]: how["width"]}), image(what, **how))[1]
    )
    at = upload_zip(open_app, file.getvalue(), **DIGITS)
    at.session_state["looked_at"] = (at.query_params["set"], 0)
    finish_work(at.run())
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
    at = upload_zip(open_app, data, "bad.zip", **DIGITS)
    assert list_metrics(at) == ["1,797", "10", "0"]
    assert at.query_params == DIGITS
    assert words in read_text(at)


def test_pictures_without_labels_are_told_apart(open_app: Open) -> None:
    at = upload_zip(open_app, build_zip(folders=False, broken=False), **DIGITS)
    assert list_metrics(at) == [str(len(ROWS)), "0", "0"]
    assert "have no labels" in read_text(at)
    at.switch_page(SCORES)
    at = finish_work(at.run())
    assert "its right answers cannot be counted" in read_text(at)


def test_a_set_that_is_gone_is_told(open_app: Open) -> None:
    at = upload_zip(open_app, build_zip(rows=ROWS[:8], broken=False), **DIGITS)
    imageset.forget_set(at.query_params["set"])
    at.switch_page(SCORES)
    at = finish_work(at.run())
    assert "no longer kept" in read_text(at)
    at.switch_page(SET)
    for _ in range(2):
        at = finish_work(at.run())
        assert list_metrics(at)[0] == "240" and not at.exception, "another one can be chosen"
    link = finish_work(open_app(SET, set="0" * 24))
    assert "no longer kept" in read_text(link) and link.query_params == {}, "and so it is said of a link to it"


def test_a_set_can_be_left_with_an_upload_and_a_folder_on_the_page(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHYBOX_SETS", str(tmp_path))
    (tmp_path / "one.png").write_bytes(encode_png(Image.new("RGB", (20, 20), "teal")))
    at = upload_zip(open_app, build_zip(), **DIGITS)
    zipped_set = at.query_params["set"]
    at.text_input(key="set_folder").set_value(str(tmp_path))
    at = finish_work(at.run())
    assert list_metrics(at)[0] == "1"
    for name, count in (("photo_crops", "240"), (zipped_set, str(len(ROWS) + 1)), ("digits", "1,797")):
        find_list(at).set_value(name)
        at = finish_work(at.run())
        assert list_metrics(at)[0] == count


def test_a_click_before_the_list_is_drawn_anew_keeps_the_own_set(open_app: Open) -> None:
    """Such a click sends what the browser still shows: the list's former value."""
    at = finish_work(open_app(SET, **DIGITS))
    find_list(at).set_value("photo_crops")
    at = finish_work(at.run())
    former = find_list(at)._widget_state
    assert former.string_value or former.int_value
    at.file_uploader(key="set_file").upload("mine.zip", build_zip(), "application/zip")
    at = finish_work(at.run())
    own = at.query_params["set"]
    assert list_metrics(at)[0] == str(len(ROWS) + 1)
    states = at._tree.get_widget_states()
    others_states = [state for state in states.widgets if "set_list" not in state.id]
    del states.widgets[:]
    states.widgets.extend([*others_states, former])
    at = finish_work(at._run(states))
    assert at.session_state["set"] == own and list_metrics(at)[0] == str(len(ROWS) + 1)
    at.switch_page(SCORES)
    at = finish_work(at.run())
    assert "mine · " in read_text(at)


def test_the_same_pictures_have_each_visitors_own_name(open_app: Open) -> None:
    first = upload_zip(open_app, build_zip(), "annas holiday.zip", **DIGITS)
    second = upload_zip(open_app, build_zip(), "berts.zip", **DIGITS)
    assert first.query_params["set"] == second.query_params["set"]
    second.switch_page(SCORES)
    second = finish_work(second.run())
    assert "berts · " in read_text(second) and "anna" not in read_text(second)
