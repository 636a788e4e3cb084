"""A look at running work may be sent before the browser has heard of a choice. What it says of other widgets is old and changes nothing."""

from __future__ import annotations

import asyncio

from benchmarks.load.visits import Visitor, visit
from tests.browser_tools import run_server

SLOW = {"model": "small_cnn", "sample": "digit_3", "method": "lime", "lime_samples": 6000}


def asked(visitor: Visitor) -> str:
    """The heading of the page: which class it explains."""
    return next(
        node.inner.body
        for node in visitor.page.nodes.values()
        if node.kind == "heading" and node.inner.body.startswith("Why")
    )


def test_the_page_drawn_anew_behind_a_look_asks_what_was_chosen() -> None:
    async def visits(address: str) -> tuple[int, str]:
        async with visit(address, SLOW, "explain") as visitor:
            page = visitor.page
            await visitor.until(lambda: bool(page.polls) and not page.running, "look")
            await visitor.option("Or ask about any other class", 5)
            await visitor.until(lambda: visitor.fresh and not page.running and asked(visitor) == "Why “5”?", "five")
            search = page.find("Or ask about any other class")
            assert search is not None
            old = page.widgets[search.inner.id]
            chips = page.find("guess")
            assert chips is not None
            await visitor.choose("guess", string_array_value={"data": [chips.inner.options[1].content]})
            await visitor.until(
                lambda: visitor.fresh and not page.running and asked(visitor) != "Why “5”?", "the chip's class"
            )
            chosen, runs = asked(visitor), page.full_runs
            page.widgets[old.id] = old  # a browser that is a moment behind
            await visitor.maps()
            await visitor.until(
                lambda: page.full_runs > runs and not page.running, "the whole page behind the last look"
            )
            return chosen, asked(visitor)

    with run_server() as address:
        chosen, found = asyncio.run(visits(address))
    assert found == chosen != "Why “5”?"
