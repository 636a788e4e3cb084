"""Addresses that are no page's: browsers are led to the start, programs and pages are left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.frame import unknown_address
from pages.ui.frame.unknown_address import UnknownAddress
from tests.pages.conftest import EXPLAIN, HOME
from tests.pages.page_reader import check_page


def ask(path: str, accept: str = "text/html,*/*", method: str = "GET") -> tuple[int, str]:
    """Return status and location of the answer to a request."""
    answer: dict[str, Any] = {}

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        answer.update(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"accept", accept.encode())]}
    asyncio.run(UnknownAddress(page, ["compare", "set_scores"])(scope, receive, send))
    return answer["status"], dict(answer["headers"]).get(b"location", b"").decode()


@pytest.mark.parametrize("path", ["/nowhere", "/compar", "/set scores/"])
def test_a_browser_is_led_to_the_start(path: str) -> None:
    assert ask(path) == (303, f"/?{unknown_address.NAME}=1")


@pytest.mark.parametrize("path", ["/", "/compare", "/compare/", "/set_scores", "/_stcore", "/a/b", "/favicon.png"])
def test_pages_and_files_are_left_alone(path: str) -> None:
    assert ask(path) == (200, "")


def test_programs_are_left_alone() -> None:
    assert ask("/nowhere", "application/json") == ask("/nowhere", method="POST") == (200, "")


def test_the_start_page_says_so_once(open_app: Callable[..., AppTest]) -> None:
    at = open_app(HOME, sample="rocket", **{unknown_address.NAME: "1"})
    assert [text.value for text in at.main.warning] == [unknown_address.SENTENCE]
    assert at.query_params == {"sample": "rocket"}
    assert not check_page(at.run()).main.warning
    assert not open_app(EXPLAIN, model="small_cnn").main.warning
