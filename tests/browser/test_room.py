"""A class of five browsers votes in one room, and each sees the count of all."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser_tools import READY

pytestmark = pytest.mark.long

VOTERS = 5
PATIENCE_MS = 60_000


def test_five_browsers_vote_in_one_room(browser: Browser, parts_address: str) -> None:
    contexts = [browser.new_context() for _ in range(VOTERS + 1)]
    try:
        pages = [context.new_page() for context in contexts]
        for number, page in enumerate(pages):
            room = "class7b" if number < VOTERS else "class8a"
            page.goto(f"{parts_address}/?mode=room&room={room}", timeout=PATIENCE_MS)
        for number, page in enumerate(pages):
            page.wait_for_selector(READY, timeout=PATIENCE_MS)
            expect(page.get_by_text("after your own vote")).to_be_visible(timeout=PATIENCE_MS)
            expect(page.get_by_text("voted in this room")).to_have_count(0)
            for letter, cheats in (("A", number < 2), ("B", True), ("C", False)):
                choice = page.get_by_role("radiogroup", name=f"Network {letter}").get_by_text(
                    "Cheats" if cheats else "Honest", exact=True
                )
                choice.click(timeout=PATIENCE_MS)
                page.wait_for_selector(READY, timeout=PATIENCE_MS)
            page.get_by_role("button", name="Vote").click(timeout=PATIENCE_MS)
            expect(page.get_by_text("voted in this room")).to_be_visible(timeout=PATIENCE_MS)
        for page in pages[:VOTERS]:
            # Whoever voted first hears of the others without a click.
            expect(page.get_by_text("5 people have voted in this room")).to_be_visible(timeout=PATIENCE_MS)
            for words in ("Network A (2)", "Network B (5)", "Network C (0)"):
                expect(page.get_by_text(words)).to_be_visible(timeout=PATIENCE_MS)
        expect(pages[VOTERS].get_by_text("1 person has voted in this room")).to_be_visible()
    finally:
        for context in contexts:
            context.close()
