"""Names of buttons, in closed sections too, as a program that lists a page reads them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser_tools import Visitor, wait_for_work

pytestmark = pytest.mark.long

NAMELESS = """() => [...document.querySelectorAll('[data-testid=stMain] button')]
    .filter((button) => !(button.innerText.trim() || button.getAttribute('aria-label') || button.title))
    .map((button) => button.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize(
    ("path", "link", "section"),
    [
        ("/map", {"set": "digits", "model": "small_cnn", "map": "pca"}, "Settings of the map"),
        ("/model", {"table": "iris", "learner": "decision_tree"}, "Use your own model"),
    ],
)
def test_buttons_of_a_closed_section_have_names(
    visitor: Visitor, path: str, link: dict[str, str], section: str
) -> None:
    visitor.open(path, **link)
    page = wait_for_work(visitor)
    page.wait_for_function(f"() => ({NAMELESS})().length === 0")
    details = page.get_by_test_id("stMain").locator("details", has=page.get_by_text(section, exact=True))
    expect(details).not_to_have_attribute("open", "")
    details.locator("summary").click()
    expect(details.locator("button[data-folded]")).to_have_count(0)
    assert page.evaluate(NAMELESS) == [], "an open section speaks for itself"
