"""The cookie by which a browser is known: given once, with a page, unguessable and not for scripts."""

from __future__ import annotations

import asyncio

import pytest
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Message

from pages.ui.frame import browser_cookie


def ask(answer: Response, cookie: str = "") -> str:
    """Return the cookie that comes with an answer, "" for none."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    headers = [(b"cookie", cookie.encode())] if cookie else []
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    asyncio.run(browser_cookie.BrowserCookie(answer)(scope, receive, send))
    return Headers(raw=messages[0]["headers"]).get("set-cookie", "")


def test_a_browser_gets_one_cookie_with_its_first_page() -> None:
    assert ask(PlainTextResponse("ok")) == ""
    pair, *attributes = ask(HTMLResponse("<p>")).split("; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
    name, value = pair.split("=", 1)
    assert name == browser_cookie.NAME and len(value) >= 40, "nobody guesses it"
    assert ask(HTMLResponse("<p>"), pair) == "", "it stays"
    assert ask(HTMLResponse("<p>")).split("; ")[0] != pair, "each browser has its own"


@pytest.mark.parametrize("cookie", ["other=1", "whybox_browser=", 'a="; b@c=1', "not_whybox_browser=12"])
def test_other_cookies_are_none_of_ours(cookie: str) -> None:
    assert ask(HTMLResponse("<p>"), cookie).startswith("whybox_browser=")
