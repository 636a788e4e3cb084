"""Picture sets in a real Chromium: digits, map, a click on a point, a lasso, a confusion cell, an own zip, a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser_tools import Visitor, expect_text, wait_for_work
from tests.pages.imageset.zip_of_digits import build_zip

pytestmark = pytest.mark.long

DIGITS = {"set": "digits", "model": "small_cnn"}
QUICK = {"map": "pca", **DIGITS}
PAGES = ("/set", "/map", "/extremes", "/set_scores")


def find_grid(page: Page, key: str = "set_grid") -> Locator:
    return page.locator(f".st-key-{key} .thumbs button")


def test_digits_to_map_to_a_point_to_its_explanation(visitor: Visitor) -> None:
    page = visitor.open("/", **QUICK)
    visitor.button("Open Picture set").click()
    page.wait_for_url("**/set?*")
    visitor.button("See the map").click()
    page.wait_for_url("**/map?*")
    wait_for_work(visitor)
    plot = page.locator(".st-key-set_map canvas").first
    expect(plot).to_be_visible()
    page.locator(".st-key-set_map .stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect_text(page, re.compile(r"Label: \d\. The model is (right|wrong)\."))
    visitor.wait_for_cards(1)
    expect(find_grid(page)).to_have_count(1)
    label = page.get_by_text(re.compile(r"Label: \d\. The model is")).first.inner_text()
    expect(page).to_have_url(re.compile(r"picture=\d+"))
    page.reload()
    wait_for_work(visitor)
    expect_text(page, label)
    visitor.wait_for_cards(1)
    visitor.button("Explain this picture").click()
    page.wait_for_url("**/compare*")
    expect(page.get_by_role("heading", name=re.compile("^Why “"))).to_be_visible()


def test_a_lasso_selects_on_every_page(visitor: Visitor) -> None:
    page = visitor.open("/map", **QUICK)
    wait_for_work(visitor)
    box = page.locator(".st-key-set_map canvas").first.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.keyboard.down("Shift")
    page.mouse.move(middle[0] - 90, middle[1] - 90)
    page.mouse.down()
    for right, down in ((90, -90), (90, 90), (-90, 90), (-90, -90)):
        page.mouse.move(middle[0] + right, middle[1] + down, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect_text(page, re.compile("pictures: enclosed on the map"))
    words = page.get_by_text("enclosed on the map").first.inner_text()
    expect(find_grid(page).first).to_be_visible()
    beside = find_grid(page).first.bounding_box()
    assert beside is not None and beside["x"] >= box["x"] + box["width"], "beside the map, not below it"
    wait_for_work(visitor)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Best and worst").click()
    page.wait_for_url("**/extremes*")
    expect_text(page, words)


def test_on_a_phone_a_tap_on_the_map_opens_a_sheet(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    page = visitor.open("/map", **QUICK)
    wait_for_work(visitor)
    sheet, plot = page.locator(".st-key-set_sheet"), page.locator(".st-key-set_map canvas").first
    expect(sheet).to_have_count(0)
    page.locator(".st-key-set_map .stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect_text(page, re.compile(r"Label: \d\. The model is (right|wrong)\."))
    box, drawn = sheet.bounding_box(), plot.bounding_box()
    assert box is not None and drawn is not None
    assert (box["x"], box["width"], box["y"] + box["height"]) == pytest.approx((0, 390, 844), abs=1)
    assert box["y"] > 844 * 0.4 and drawn["y"] < box["y"], "the map stays in view above it"
    page.get_by_role("button", name="Close", exact=True).click()
    expect(sheet).to_have_count(0)


def test_a_cell_of_the_confusion_matrix_shows_its_pictures(visitor: Visitor) -> None:
    page = visitor.open("/set_scores", **DIGITS)
    wait_for_work(visitor)
    matrix = page.locator('[class*="st-key-confusion_"]').get_by_test_id("stDataFrame")
    matrix.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = matrix.bounding_box()
    width = page.locator(".stMainBlockContainer").evaluate("main => main.clientWidth")
    assert box is not None and box["width"] > 0.85 * width, "the matrix uses the width of the page"
    page.mouse.click(box["x"] + box["width"] * 0.97, box["y"] + 35 * 10.5)  # a canvas: truth 9, answer 9
    expect_text(page, re.compile("pictures?: It is 9, Small digit network says 9"))
    wait_for_work(visitor)
    expect(find_grid(page)).to_have_count(48)
    find_grid(page).nth(2).click()
    expect_text(page, re.compile(r"Label: 9\. The model is right\."))
    visitor.wait_for_cards(1)


def test_an_own_zip_and_a_bad_one(visitor: Visitor) -> None:
    page = visitor.open("/set", **DIGITS)
    wait_for_work(visitor)
    files = page.locator('[data-testid="stMain"] input[type="file"]')
    files.set_input_files(FilePayload(name="bad.zip", mimeType="application/zip", buffer=b"PK\x03\x04 torn"))
    expect_text(page, re.compile(r"is not a zip, or it is damaged"))
    wait_for_work(visitor)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("1,797")
    files.set_input_files(FilePayload(name="mine.zip", mimeType="application/zip", buffer=build_zip()))
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("41")
    wait_for_work(visitor)
    expect(page).to_have_url(re.compile(r"set=[0-9a-f]{24}"))
    assert page.locator('img[src="x"]').count() == 0
    page.reload()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("41")


def test_a_phone_can_use_every_page(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        visitor.open(path, **QUICK)
        page = wait_for_work(visitor)
        assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth <= innerWidth + 2"), path
        nameless = "all => all.filter(b => !(b.textContent.trim() || b.ariaLabel || b.title)).map(b => b.outerHTML)"
        assert page.locator("button").evaluate_all(nameless) == [], path


def go(visitor: Visitor, name: str) -> Page:
    visitor.page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    expect(visitor.page).to_have_title(f"{name} · Whybox")
    return wait_for_work(visitor)


def test_the_last_choice_counts_wherever_a_visit_began(visitor: Visitor) -> None:
    """Streamlit remembers what was set on a page without the list, and gives that back on the next such page."""
    page = visitor.open("/map", **QUICK)
    wait_for_work(visitor)
    expect_text(page, re.compile("1,797 pictures"))
    go(visitor, "Picture set")
    visitor.choose("stMain", "Picture set", "Crops of the sample")
    expect(page).not_to_have_url(re.compile("set=digits"))
    go(visitor, "Map")
    expect_text(page, re.compile("240 pictures"))
    go(visitor, "Picture set")
    file = FilePayload(name="mine.zip", mimeType="application/zip", buffer=build_zip())
    page.locator('[data-testid="stMain"] input[type="file"]').set_input_files(file)
    expect(page).to_have_url(re.compile("set=[0-9a-f]{24}"))
    chosen = page.get_by_test_id("stMain").get_by_role("combobox", name=re.compile("Picture set"))
    # The address may come before the list is drawn anew: a click in between sends the list's former value.
    go(visitor, "Best and worst")
    expect_text(page, re.compile("^mine · "))
    go(visitor, "Picture set")
    expect(chosen).to_have_value("mine (yours)")
