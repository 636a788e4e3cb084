"""The viewer in a real browser: the outline and its threshold, a map made large, and what has the focus."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.pages.ui.image.viewer_page import ViewerPage, read_box, read_pixels
from tests.pages.viewer_app import SIDE, draw_heat, draw_photo

pytestmark = pytest.mark.long


@pytest.mark.parametrize("percent", [20, 80])
def test_the_outline_encloses_what_reaches_the_threshold(viewer: ViewerPage, percent: int) -> None:
    page = viewer.open("view_show=outline")
    assert "half of full colour" not in page.locator(".reading").first.inner_text()
    viewer.silent(lambda: page.get_by_label("Draw the line at").fill(str(percent)))
    assert f"The line runs where {percent} % of full colour is reached." in page.locator(".reading").first.inner_text()
    values = np.clip(draw_heat(SIDE), 0, None)
    inside = values >= percent / 100 * np.percentile(np.abs(values), 98)
    padded = np.pad(inside, 1)
    neighbours = [padded[1 + y : SIDE + 1 + y, 1 + x : SIDE + 1 + x] for y, x in ((0, 1), (0, -1), (1, 0), (-1, 0))]
    edge = inside & ~np.all(neighbours, axis=0)
    assert 4 < edge.sum() < inside.sum() < SIDE**2 / 2, "the case is not trivial"
    photo = np.asarray(draw_photo(SIDE), dtype=float).repeat(16, 0).repeat(16, 1)
    changed = (np.abs(read_pixels(page, 0) - photo).max(axis=2) > 8).reshape(SIDE, 16, SIDE, 16).any(axis=(1, 3))
    assert not changed[~inside].any(), "nothing is drawn outside"
    assert changed[edge].all(), "each cell of the edge has a part of the line"


def test_the_threshold_is_offered_for_the_outline_only_and_kept(viewer: ViewerPage) -> None:
    page = viewer.open()
    slider = page.get_by_label("Draw the line at")
    expect(slider).to_be_hidden()
    page.get_by_role("radio", name="Outline").check()
    expect(slider).to_have_value("50")
    slider.fill("30")
    page.wait_for_timeout(300)
    assert "view_threshold=30" in page.url
    page.goto(f"{viewer.address}/?view_threshold=2&view_show=outline")
    viewer.ready()
    expect(page.get_by_label("Draw the line at")).to_have_value("50")


def test_a_click_enlarges_a_map_with_its_text_beside_it(viewer: ViewerPage) -> None:
    page = viewer.open("mode=ended")
    card = page.locator(".card").nth(1)
    small = read_box(card.locator(".frame"))
    viewer.silent(card.locator("canvas").first.click)
    frame, words = read_box(card.locator(".frame")), read_box(card.locator(".words"))
    assert frame["width"] > 1.5 * small["width"]
    assert words["x"] >= frame["x"] + frame["width"], "the text stands beside"
    assert words["y"] < frame["y"] + frame["height"]
    tops = [read_box(small_card)["y"] for small_card in page.locator(".card:not([data-large])").all()]
    assert len(tops) == 3 and min(tops) > frame["y"] + frame["height"], "the others stand below"
    expect(page.locator(".cross:not([hidden])")).to_have_count(3)
    page.get_by_role("button", name="Enlarge: Where it looked").click()
    expect(page.locator(".card[data-large] h3")).to_have_text("Where it looked")
    page.locator(".card[data-large] canvas").first.focus()
    page.keyboard.press("Escape")
    expect(page.locator(".card[data-large]")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator(".card[data-large]")).to_have_count(1)
    page.get_by_role("button", name="Make smaller: Where it looked").click()
    assert read_box(card.locator(".frame")) == small


def test_what_has_the_focus_is_not_what_is_selected(viewer: ViewerPage) -> None:
    page = viewer.open()
    page.get_by_role("radio", name="Colours").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    chosen = page.locator(".choices label", has_text="Colours")
    ring, text = (chosen.evaluate(f"label => getComputedStyle(label).{name}") for name in ("outlineColor", "color"))
    assert ring == text
    assert chosen.evaluate("label => getComputedStyle(label).outlineStyle") == "solid"
    assert ring not in chosen.evaluate("label => getComputedStyle(label).boxShadow"), "selected is the primary colour"
    page.get_by_role("button", name="More settings").focus()
    assert chosen.evaluate("label => getComputedStyle(label).outlineStyle") == "none"
    assert chosen.evaluate("label => getComputedStyle(label).boxShadow") != "none"
