"""A cookie of our own by which a browser is known again: it gets its uploads back and may delete its own links."""

from __future__ import annotations

import hashlib
import secrets

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAME = "whybox_browser"
# Browsers keep a cookie for 400 days at most.
MAX_AGE_S = 400 * 86_400


class BrowserCookie:
    """ASGI middleware that gives a browser without one a cookie with its first page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    # Unreadable for scripts; sent only with requests that this site itself makes, or a click on a link.
                    value = f"{NAME}={secrets.token_urlsafe(32)}; Path=/; Max-Age={MAX_AGE_S}; HttpOnly; SameSite=Lax"
                    headers.append("set-cookie", value)
            await send(message)

        is_new = scope["type"] == "http" and not HTTPConnection(scope).cookies.get(NAME)
        await self.app(scope, receive, send_with_cookie if is_new else send)


def browser_secret() -> str:
    """Return what only this browser and the server know, "" where it has no cookie (`streamlit run`)."""
    return str(st.context.cookies.get(NAME, ""))


def browser_id() -> str:
    """Return a hash by which this browser is known, "" where it has no cookie."""
    secret = browser_secret()
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest() if secret else ""
