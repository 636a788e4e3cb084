"""The crop of the picture in use: chosen on the page, kept in the link, and the same for maps, guesses and links."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.image import framing
from tests.pages.page_reader import (
    check_page,
    finished_results,
    list_errors,
    list_guesses,
    panel_states,
    read_components,
    read_panels,
    read_viewer,
    run_until,
)
from xai_core.formatting import percent
from xai_core.render import wire_picture

Open = Callable[..., AppTest]
COMPARE, EXPLAIN, RESULT = "pages/image/compare.py", "pages/image/explain.py", "pages/image/result.py"
SMALL = {"model": "small_cnn", "sample": "rocket", "method": "saliency"}


def is_finished(at: AppTest) -> bool:
    return bool(read_panels(at)) and set(panel_states(at).values()) == {"done"}


def cut_end(image: Image.Image) -> Image.Image:
    """Return the right or lower end of a picture, as large as the square that the digit network gets of it."""
    side = min(image.size)
    return image.crop((image.width - side, image.height - side, image.width, image.height))


def read_background(at: AppTest) -> str:
    return str(read_viewer(at)["pictures"][read_panels(at)[0]["picture"]])


def test_maps_guesses_and_background_are_about_the_moved_crop(open_app: Open) -> None:
    at = check_page(run_until(open_app(EXPLAIN, **SMALL, crop="1,1"), is_finished))
    model, end = xai_core.load_model("small_cnn"), cut_end(xai_core.SAMPLES.get("rocket").load())
    assert model.preprocessing.resize == model.preprocessing.crop, "nothing is cut off around the square"
    assert read_background(at) == wire_picture(model.preprocessing.model_input(end))
    chances = [percent(chance) for _, _, chance in xai_core.predict(model, end, 5).classes]
    assert [guess.split(" · ")[1] for guess in list_guesses(at)] == chances
    target = xai_core.predict(model, end).classes[0][0]
    (result,) = finished_results(at)
    np.testing.assert_array_equal(result.values, xai_core.explain(model, end, "saliency", target).values)
    middle = xai_core.explain(model, xai_core.SAMPLES.get("rocket").load(), "saliency", target)
    assert not np.array_equal(result.values, middle.values), "the case is not trivial"
    assert at.query_params["crop"] in ("1,1", ["1,1"])


def test_the_frame_lies_where_the_crop_is(open_app: Open) -> None:
    at = check_page(open_app(EXPLAIN, sample="chelsea", crop="0.25,1"))
    (frame,) = read_components(at, "place")
    side = 300 * 224 / 256
    assert frame["place"] == [0.25, 1] and frame["size"] == pytest.approx([side / 451, side / 300])
    assert any("51 % of the picture" in caption.value for caption in at.main.caption)


def test_all_of_it_with_bars_and_back(open_app: Open) -> None:
    at = check_page(run_until(open_app(EXPLAIN, **SMALL), is_finished))
    before = panel_states(at), read_background(at)
    at.segmented_control(key="crop_mode").set_value("fit")
    check_page(run_until(at.run(), is_finished))
    assert at.query_params["crop"] in ("fit", ["fit"])
    assert read_components(at, "place")[0]["size"] is None, "no frame to move"
    assert read_background(at) != before[1]
    at.segmented_control(key="crop_mode").set_value("crop")
    check_page(run_until(at.run(), is_finished))
    assert (panel_states(at), read_background(at)) == before
    assert "crop" not in at.query_params


def test_another_picture_is_seen_in_its_middle(open_app: Open) -> None:
    at = open_app(EXPLAIN, sample="chelsea", crop="0,0")
    at.selectbox(key="sample").set_value("coffee")
    assert check_page(at.run()).query_params == {}


@pytest.mark.parametrize("crop", ["2,2", "fat", "0.5", "nan,0"])
def test_nonsense_in_the_link_means_the_middle(open_app: Open, crop: str) -> None:
    at = check_page(open_app(EXPLAIN, **SMALL, crop=crop))
    assert list_errors(at) == [] and "crop" not in at.query_params


def test_each_model_of_a_comparison_gets_its_own_square(open_app: Open) -> None:
    link = {"sample": "chelsea", "crop": "0,0", "cols": "models", "by": "saliency"}
    at = check_page(open_app(COMPARE, **link, models="efficientnet_lite0,small_cnn"))
    pictures = {panel["id"]: read_viewer(at)["pictures"][panel["picture"]] for panel in read_panels(at)}
    image = xai_core.SAMPLES.get("chelsea").load()
    for name in ("efficientnet_lite0", "small_cnn"):
        model = xai_core.load_model(name)
        framed = xai_core.frame_picture(model, image, xai_core.Framing(0, 0))
        assert pictures[name] == wire_picture(model.preprocessing.model_input(framed))


def test_a_link_to_maps_of_a_crop_shows_that_crop(open_app: Open) -> None:
    at = run_until(open_app(EXPLAIN, **SMALL, crop="1,1"), is_finished)
    before = read_background(at)
    check_page(at.button(key="make_link").click().run())
    (code,) = at.session_state["links"].values()
    assert read_background(check_page(open_app(RESULT, s=code))) == before


def test_places_outside_are_taken_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[xai_core.Framing] = []
    monkeypatch.setattr(framing, "_set", taken.append)
    monkeypatch.setattr(st, "session_state", {"crop_frame": {"moved": [-3, 0.25]}})
    framing._take_place()
    assert taken == [xai_core.Framing(0, 0.25)]
