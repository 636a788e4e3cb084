"""A poll may be sent before the browser has heard of a choice: its old values of other widgets change nothing."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.load.visits import Visitor, visit

pytestmark = pytest.mark.long

SLOW = {"model": "small_cnn", "sample": "digit_3", "method": "lime", "lime_samples": 6000}


def read_heading(visitor: Visitor) -> str:
    """Return the heading of the page, which names the class that it explains."""
    return next(
        node.inner.body
        for node in visitor.page.nodes.values()
        if node.kind == "heading" and node.inner.body.startswith("Why")
    )


def test_the_page_drawn_anew_behind_a_look_asks_what_was_chosen(address: str) -> None:
    async def visits() -> tuple[int, str]:
        async with visit(address, SLOW, "explain") as visitor:
            page = visitor.page
            await visitor.wait_until(lambda: bool(page.polls) and not page.running, "look")
            await visitor.select_option("Or ask about another class", 5)
            await visitor.wait_until(
                lambda: visitor.is_fresh and not page.running and read_heading(visitor) == "Why “5”?", "five"
            )
            search = page.find("Or ask about another class")
            assert search is not None
            old = page.widgets[search.inner.id]
            chips = page.find("guess")
            assert chips is not None
            await visitor.set_widget("guess", string_array_value={"data": [chips.inner.options[1].content]})
            await visitor.wait_until(
                lambda: visitor.is_fresh and not page.running and read_heading(visitor) != "Why “5”?",
                "the chip's class",
            )
            chosen, runs = read_heading(visitor), page.full_runs
            page.widgets[old.id] = old  # a browser that is a moment behind
            await visitor.wait_for_maps()
            await visitor.wait_until(
                lambda: page.full_runs > runs and not page.running, "the whole page behind the last look"
            )
            return chosen, read_heading(visitor)

    chosen, shown = asyncio.run(visits())
    assert shown == chosen != "Why “5”?"
