"""The page of shakes: every view answers, links open, and a click on a step asks for its map."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Open
from tests.pages.page_reader import check_page, read_components, run_until

PAGE = "pages/image/shake.py"
SMALL = {"model": "small_cnn", "sample": "digit_3"}


def texts(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html"))


def test_one_shake_has_a_curve_pictures_and_maps_that_come_back(open_app: Open) -> None:
    link = {"shake": "flip", "steps": "1-2", "shake_map": "grad_cam"}
    at = run_until(open_app(PAGE, **SMALL, **link), lambda at: "The explanation" in texts(at))
    assert " of 3 steps" in texts(check_page(at))
    (grid,) = read_components(at, "items")
    assert [item["caption"].split(":")[0] for item in grid["items"]] == [
        "as it is",
        "left and right",
        "top and bottom",
        "both",
    ]
    captions = [image.proto.imgs[0].caption for image in at.main.get("image") or [] if image.proto.imgs]
    restored = [caption for caption in captions if "brought back exactly" in caption]
    assert len(restored) == 2
    next(box for box in at.multiselect if box.label == "Steps with a map").set_value([])
    at = check_page(at.run())
    assert "Choose at least one step" in texts(at)


def test_all_shakes_mixes_and_a_set_say_what_breaks(open_app: Open) -> None:
    at = run_until(open_app(PAGE, **SMALL, shake_view="all"), lambda at: "depends most on" in texts(at))
    assert "The answer 3 depends most on this" in texts(check_page(at))
    next(group for group in at.button_group if group.key == "shake_view").set_value("mixes")
    at = check_page(run_until(at.run(), lambda at: "mildly changed pictures" in texts(at)))
    assert "of 16 mildly changed pictures" in texts(at)
    next(group for group in at.button_group if group.key == "shake_view").set_value("set")
    at.session_state["set"] = "digits"
    at.session_state["shaken"] = "24"
    at = check_page(run_until(at.run(), lambda at: "changes most answers" in texts(at)))
    assert "evenly spread over the set and grouped by their labels" in texts(at)


def test_a_wrong_link_falls_to_what_exists(open_app: Open) -> None:
    link = {"shake": "earthquake", "steps": "99-x", "shake_map": "magic"}
    at = check_page(run_until(open_app(PAGE, **SMALL, **link), lambda at: "Stability" in texts(at)))
    assert next(box for box in at.selectbox if box.label == "Shake").value == "rotation"
