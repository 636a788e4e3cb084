"""An address that is no page's: the start page opens and says so, where Streamlit would put a box over it."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# Its name in the address of the start page, for a moment.
NAME = "unknown"
SENTENCE = "There is no page at this address. This is the start page; all others are listed in the sidebar."


class UnknownAddress:
    """ASGI middleware that leads a browser on from an address of one part that is none of these pages."""

    def __init__(self, app: ASGIApp, pages: Collection[str]) -> None:
        self.app, self.pages = app, frozenset(pages)

    def _is_unknown(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "GET" or not self.pages:
            return False
        name = scope["path"].strip("/")
        # Files have an ending, and what Streamlit serves itself is asked for by programs or has several parts.
        is_page = bool(name) and not name.startswith("_") and not {"/", "."} & set(name)
        return is_page and name not in self.pages and "text/html" in Headers(scope=scope).get("accept", "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = RedirectResponse(f"/?{NAME}=1", status_code=303) if self._is_unknown(scope) else self.app
        await app(scope, receive, send)


def read() -> None:
    """Note, before the address is read, that the visitor was led here from an unknown one."""
    if NAME in st.query_params:
        del st.query_params[NAME]
        st.session_state["unknown_address"] = True


def take_problem() -> str:
    """Return once the sentence for a visitor who was led here, else ""."""
    return SENTENCE if st.session_state.pop("unknown_address", False) else ""
