"""A limit for the files of all visitors together: Streamlit keeps each in memory for as long as its owner's page shows it."""

from __future__ import annotations

import contextlib
import functools

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.stats import CACHE_MEMORY_FAMILY, CacheStat

PLACE = "/_stcore/upload_file/"
_SHARE = 4
_FULL = "Files of other visitors fill the memory of this computer at the moment. Try a smaller file, or again in a few minutes."


@functools.cache
def most_bytes() -> int:
    """Bytes for all uploads: WHYBOX_UPLOADS_MB if that is a number, else a quarter of the memory free at the first one."""
    # Not above: it brings torch, which takes seconds, and the port is to be taken first.
    from xai_core import settings
    from xai_core.engine import memory

    return memory.limit_bytes(settings.uploads_mb(), _SHARE)


def held_bytes() -> int:
    """Bytes of files that Streamlit holds for all its visitors."""
    if not runtime.exists():
        return 0
    stats = runtime.get_instance().uploaded_file_mgr.get_stats([CACHE_MEMORY_FAMILY])
    return sum(each.byte_length for family in stats.values() for each in family if isinstance(each, CacheStat))


class UploadLimit:
    """ASGI middleware that refuses a file which would not fit beside those that are held and those on their way. Status 413."""

    def __init__(self, app: ASGIApp, most: int | None = None) -> None:
        self.app, self.most = app, most
        self._coming = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT" or PLACE not in scope["path"]:
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        if not said.isdecimal():
            await PlainTextResponse("The size of the file must be said.", status_code=411)(scope, receive, send)
        elif held_bytes() + self._coming + int(said) > (most_bytes() if self.most is None else self.most):
            await PlainTextResponse(_FULL, status_code=413)(scope, receive, send)
        else:
            await self._take(int(said), scope, receive, send)

    async def _take(self, size: int, scope: Scope, receive: Receive, send: Send) -> None:
        self._coming += size
        try:
            with contextlib.suppress(ClientDisconnect):  # a page that is closed meanwhile is no fault of the server
                await self.app(scope, receive, send)
        finally:
            self._coming -= size
