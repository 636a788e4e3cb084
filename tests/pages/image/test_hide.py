"""The page of hidden parts: a link's mask is shown and asked about, masks from maps, the game, refusals in words."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from tests.pages.conftest import Open
from tests.pages.page_reader import check_page, run_until
from xai_core import what_if
from xai_core.formatting import percent

PAGE = "pages/image/hide.py"
SMALL = {"model": "small_cnn", "sample": "digit_3"}
SIDE = 28


def upper_half() -> npt.NDArray[np.bool_]:
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[:14] = True
    return mask


def texts(at: AppTest) -> str:
    return unescape(" ".join(element.proto.body for element in at.get("html"))).replace("\xa0", " ")


def brush_data(at: AppTest) -> dict[str, Any]:
    """Return the data that the brush in the browser is given."""
    component = next(element for element in at.get("bidi_component") if "brush" in element.proto.component_name)
    data: dict[str, Any] = json.loads(component.proto.json)
    return data


def hide_by_hand(**how: Any) -> what_if.Hidden:
    model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    return what_if.hide(model, image, upper_half(), **how)


@pytest.mark.parametrize(
    ("link", "how"),
    [
        ({}, {}),
        ({"hide_with": "black"}, {"filling": "black"}),
        ({"hide_with": "noise", "seed": "7"}, {"filling": "noise", "seed": 7}),
        ({"hide_with": "grey", "painted": "keep"}, {"filling": "grey", "keep": True}),
    ],
)
def test_a_link_carries_what_is_painted_and_how_it_is_hidden(
    open_app: Open, link: dict[str, str], how: dict[str, Any]
) -> None:
    code = what_if.encode_mask(upper_half())
    at = check_page(run_until(open_app(PAGE, **SMALL, mask=code, **link), lambda at: "is hidden" in texts(at)))
    result = hide_by_hand(**how)
    assert "50 % of the picture is hidden" in texts(at)
    now = int(result.after.argmax())
    assert f"{result.labels[now]}" in texts(at).split("of the picture is hidden")[1].split("</p>")[0]
    for change in result.list_changes(3):
        assert f"<span>{change.label}</span><span>{percent(change.before)} → {percent(change.after)}</span>" in texts(
            at
        )
    assert brush_data(at)["runs"] == what_if.runs_of(upper_half())
    assert brush_data(at)["keep"] is ("painted" in link)
    assert at.query_params["mask"] == code


def test_nothing_painted_says_what_to_do(open_app: Open) -> None:
    at = check_page(open_app(PAGE, **SMALL))
    assert "Paint on the picture to hide a part of it." in texts(at)
    assert brush_data(at)["runs"] == [SIDE * SIDE]


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (what_if.encode_mask(np.ones((SIDE, SIDE), dtype=bool)), "Everything is hidden"),
        (what_if.encode_mask(np.eye(224, dtype=bool)), "picture of 224 × 224 pixels, and this model sees 28 × 28"),
        ("28.abc", "The painted part in this link is damaged"),
        ("nonsense", "The painted part in this link is damaged"),
    ],
)
def test_a_mask_that_cannot_be_used_is_refused_in_words(open_app: Open, mask: str, words: str) -> None:
    at = check_page(run_until(open_app(PAGE, **SMALL, mask=mask), lambda at: words in texts(at)))
    assert words in texts(at)


def test_a_map_gives_the_mask_and_its_curve(open_app: Open) -> None:
    link = {"hide_task": "map", "hide_map": "occlusion", "hide_share": "30", "hide_with": "black"}
    at = check_page(run_until(open_app(PAGE, **SMALL, **link), lambda at: "Solid: the probability" in texts(at)))
    model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    strongest = what_if.select_strongest(xai_core.explain(model, image, "occlusion").heatmap, 0.3)
    assert brush_data(at)["runs"] == what_if.runs_of(strongest)
    version = brush_data(at)["version"]
    next(slider for slider in at.select_slider if slider.key == "hide_share").set_value(0.1)
    at = check_page(run_until(at.run(), lambda at: "10 % of the picture" in texts(at)))
    assert brush_data(at)["version"] != version, "the browser takes the new mask over"
    # Free painting goes on from the map's mask.
    drawn = brush_data(at)["runs"]
    next(group for group in at.button_group if group.key == "hide_task").set_value("free")
    at = check_page(at.run())
    assert brush_data(at)["runs"] == drawn
    assert what_if.runs_of(what_if.decode_mask(str(at.query_params["mask"]))) == drawn


@pytest.mark.parametrize("task", ["flip", "keep"])
def test_the_game_ends_with_the_methods_own_solution(open_app: Open, task: str) -> None:
    """Played with the method's own pieces both need the same."""
    model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    solution = xai_core.explain(model, image, "adaptive_occlusion", params={"mode": task, "segments": 30})
    code = what_if.encode_mask(solution.heatmap != 0)
    at = open_app(PAGE, **SMALL, hide_task=task, game_segments="30", mask=code)
    at = check_page(run_until(at, lambda at: "Done!" in texts(at)))
    pieces = int(solution.details["pieces"])
    assert re.search(
        rf"You (hide|keep) {pieces} pieces?, {percent(solution.details['area'])} of the picture", texts(at)
    )
    assert len(set(brush_data(at)["pieces"][::2])) > 10
    next(button for button in at.button if button.key == "hide_reveal").click()
    at = check_page(run_until(at.run(), lambda at: "The method " in texts(at)))
    assert "You both need the same." in texts(at)


def test_a_game_that_is_given_up_shows_the_solution(open_app: Open) -> None:
    at = check_page(run_until(open_app(PAGE, **SMALL, hide_task="flip", game_segments="30"), lambda at: at.button))
    button = next(button for button in at.button if button.key == "hide_reveal")
    assert button.label == "Give up and see the method’s solution"
    button.click()
    at = check_page(run_until(at.run(), lambda at: "The method hides" in texts(at)))
    assert "You need less" not in texts(at)
