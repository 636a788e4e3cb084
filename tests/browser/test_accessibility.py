"""Every page of the navigation, light and dark, by axe-core's rules: names, roles, contrast and order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]  # ships no types
from playwright.sync_api import Page, expect

from tests.browser_tools import READY, Visitor, wait_for_work

pytestmark = pytest.mark.long

SMALL = {
    "model": "small_cnn",
    "sample": "digit_3",
    "set": "digits",
    "map": "pca",
    "table": "iris",
    "learner": "decision_tree",
}
GRAVE = ("serious", "critical")
# Measurements of a page that began to work meanwhile, before the test gives up.
PATIENCE = 5
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = "rules => axe.run(document, { resultTypes: ['violations'], runOnly: rules })"
HAS_SCHEME = "scheme => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === scheme"
OPEN_ALL = """() => document.querySelectorAll('[data-testid="stMain"] details:not([open]) > summary')
    .forEach((summary) => summary.click())"""


def find_violations(page: Page, rules: Sequence[str] = RULES) -> list[str]:
    """Return the grave violations on the page, with the parts that have them."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    report: dict[str, Any] = page.evaluate(RUN, rules)
    return [
        f"{violation['impact']}, {violation['help']}: {part['html'][:300]}"
        for violation in report["violations"]
        if violation["impact"] in GRAVE
        for part in violation["nodes"]
    ]


def find_when_idle(visitor: Visitor, rules: Sequence[str]) -> list[str]:
    """Return the grave violations of a page at rest: one that works is drawn paler, and jobs may follow each other."""
    for _ in range(PATIENCE):
        wait_for_work(visitor)
        faults = find_violations(visitor.page, rules)
        if visitor.button("Stop").count() == 0 and visitor.page.locator(READY).count():
            return faults
    raise AssertionError(f"{visitor.page.title()} never rests")


def test_no_page_has_a_serious_violation_in_light_or_dark(visitor: Visitor) -> None:
    page = visitor.open("/", **SMALL)
    # A colour on its way to another one is none of the theme's.
    page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    links = page.get_by_test_id("stSidebar").get_by_role("link")
    assert links.count() >= 30
    violations: dict[str, list[str]] = {}
    for place in range(links.count()):
        if place:
            title = page.title()
            links.nth(place).click()
            expect(page).not_to_have_title(title)
        wait_for_work(visitor)
        page.evaluate(OPEN_ALL)
        # The themes differ in colours only.
        for scheme, rules in (("light", RULES), ("dark", ["color-contrast"])):
            # The app follows the system's theme at once.
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a literal
            page.wait_for_function(HAS_SCHEME, arg=scheme)
            violations[f"{page.title()}, {scheme}"] = find_when_idle(visitor, rules)
    grave = {title: faults for title, faults in violations.items() if faults}
    assert not grave, json.dumps(grave, indent=1)
    page.evaluate("document.querySelector('[data-testid=stMain]').append(document.createElement('button'))")
    (violation,) = find_violations(page)
    assert violation.startswith("critical, Buttons must have discernible text"), "a fault is found"
