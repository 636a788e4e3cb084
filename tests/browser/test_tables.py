"""Tables in a real Chromium: the whole path, on a phone too, and own files, good and bad."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, expect

from tests.browser_tools import Visitor, expect_text, wait_for_work
from tests.pages.tables.test_upload import HOSTILE, build_csv

pytestmark = pytest.mark.long

QUICK = {"gradient_boosting_trees": "20"}
PAGES = ("/data", "/model", "/general", "/row", "/fairness")


def test_from_the_start_to_a_change_that_would_matter(visitor: Visitor) -> None:
    page = visitor.open("/", **QUICK)
    visitor.button("Open Table").click()
    page.wait_for_url("**/data*")
    expect_text(page, re.compile("Always saying “refused”"))
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_role("img")).to_have_count(0)
    visitor.button("Train a model on it").click()
    page.wait_for_url("**/model*")
    expect_text(page, re.compile("held-out rows"))
    visitor.button("How does it decide in general?").click()
    page.wait_for_url("**/general*")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    sidebar.get_by_role("link", name="One row").click()
    page.wait_for_url("**/row*")
    expect_text(page, re.compile(r"^The model says: (approved|refused) \("))
    page.get_by_text("Change its values").click()
    income = page.get_by_role("spinbutton", name="income")
    income.fill("1000")
    income.press("Enter")
    expect_text(page, re.compile("Without your changes"))
    wait_for_work(visitor)
    visitor.button("Find the smallest changes").click()
    expect_text(page, re.compile(r"^If .* instead of .*, the model would say"))
    visitor.button("Try it in the form").first.click()
    wait_for_work(visitor)
    expect_text(page, re.compile("Without your changes"))


def test_a_row_is_chosen_by_a_click_in_the_table(visitor: Visitor) -> None:
    page = visitor.open("/row", table="iris", learner="decision_tree")
    wait_for_work(visitor)
    page.get_by_text("Choose a row from the table").click()
    grid = page.get_by_test_id("stDataFrame").first
    expect(grid).to_be_visible()
    # The table moves while the page above it fills in: it is clicked once it stands still for a second.
    box, previous = grid.bounding_box(), None
    while box is None or box != previous:
        previous = box
        page.wait_for_timeout(1000)
        box = grid.bounding_box()
    page.mouse.click(box["x"] + 15, box["y"] + 35 * 4 + 17)  # a canvas: the fourth row's box
    expect(page).to_have_url(re.compile(r"row=\d+"))
    wait_for_work(visitor)


def test_a_bad_file_gets_a_sentence_and_one_with_missing_values_is_learned_from(visitor: Visitor) -> None:
    page = visitor.open("/data", table="iris", learner="decision_tree")
    bad = FilePayload(name="bad.csv", mimeType="text/csv", buffer=b"only\n1\n2\n3\n")
    page.locator('[data-testid="stMain"] input[type="file"]').set_input_files(bad)
    expect_text(page, re.compile("column.*Got", re.DOTALL))
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("150")
    file = FilePayload(name=f"{HOSTILE[:20]}.csv", mimeType="text/csv", buffer=build_csv())
    page.locator('[data-testid="stMain"] input[type="file"]').set_input_files(file)
    expect_text(page, re.compile("Always saying “(yes|no)”"))
    expect(page.get_by_test_id("stMetricValue")).to_have_text(["60", "3", "6"])
    visitor.button("Train a model on it").click()
    expect_text(page, re.compile("held-out rows"))
    page.get_by_test_id("stSidebar").get_by_role("link", name="One row").click()
    expect_text(page, re.compile("^The model says:"))
    wait_for_work(visitor)
    # The app's own links may carry the column's name in their query, so only an address that begins with it is foreign.
    assert page.locator('img[src="x"], a[href^="http"][href*="//b.example"]').count() == 0
    assert page.locator(".js-plotly-plot a").count() == 0


def test_a_phone_can_use_every_page(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        visitor.open(path, table="iris", learner="decision_tree")
        page = wait_for_work(visitor)
        assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth <= innerWidth + 2"), path
        wide = "all => all.filter(e => e.getBoundingClientRect().right > innerWidth + 2).map(e => e.className)"
        assert (
            page.locator('[data-testid="stMain"] .js-plotly-plot, [data-testid="stMain"] .said').evaluate_all(wide)
            == []
        ), path
        nameless = "all => all.filter(b => !(b.textContent.trim() || b.ariaLabel || b.title)).map(b => b.outerHTML)"
        assert page.locator("button").evaluate_all(nameless) == [], path
