"""One memory limit for the uploads of all visitors; Streamlit holds each file while its page is open."""

from __future__ import annotations

import contextlib
import functools
import math

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.stats import CACHE_MEMORY_FAMILY, CacheStat

from xai_core import settings
from xai_core.engine import limit_bytes

UPLOAD_PATH = "/_stcore/upload_file/"
MEMORY_SHARE = 4
MB = 2**20
FULL = (
    "Files of other visitors fill the memory of this computer at the moment. "
    "Try a smaller file, or again in a few minutes."
)
LOST = "The file did not arrive here. Check the connection to the network, then try again."


@functools.cache
def max_bytes() -> int:
    """Return the bytes for all uploads: WHYBOX_UPLOADS_MB, else a quarter of the memory free at the first call."""
    return limit_bytes(settings.uploads_mb(), MEMORY_SHARE)


def used_bytes() -> int:
    """Return the bytes of all files that Streamlit holds."""
    if not runtime.exists():
        return 0
    stats = runtime.get_instance().uploaded_file_mgr.get_stats([CACHE_MEMORY_FAMILY])
    return sum(stat.byte_length for family in stats.values() for stat in family if isinstance(stat, CacheStat))


def accepted_mb(max_mb: int) -> int:
    """Return the limit for Streamlit's uploader, in MB, beside ours.

    A bit more: most browsers count its megabytes as 1,000,000 bytes, and ours have 1,048,576.
    """
    return math.ceil(max_mb * 1.05)


def describe_failure(words: str) -> str:
    """Return the reason why a file did not arrive; `words` are those of the browser, with the status of the answer."""
    return FULL if "413" in words else LOST


def describe_excess(size: int, max_mb: int, advice: str) -> str:
    """Return the reason why a file of so many bytes is too large, "" where it is not."""
    if size <= max_mb * MB:
        return ""
    got = f"{math.ceil(size / MB):,} MB"
    return f"This file is larger than {max_mb:,} MB, which is the most allowed here. {advice} Got {got}."


class UploadLimit:
    """ASGI middleware that answers 413 to a file that does not fit beside those held and those being sent."""

    def __init__(self, app: ASGIApp, max_total: int | None = None) -> None:
        self.app, self.max_total = app, max_total
        self._incoming = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT" or UPLOAD_PATH not in scope["path"]:
            await self.app(scope, receive, send)
            return
        content_length = Headers(scope=scope).get("content-length", "")
        if not content_length.isdecimal():
            await PlainTextResponse("The size of the file must be stated.", status_code=411)(scope, receive, send)
        elif used_bytes() + self._incoming + int(content_length) > (
            max_bytes() if self.max_total is None else self.max_total
        ):
            await PlainTextResponse(FULL, status_code=413)(scope, receive, send)
        else:
            await self._take(int(content_length), scope, receive, send)

    async def _take(self, size: int, scope: Scope, receive: Receive, send: Send) -> None:
        self._incoming += size
        try:
            with contextlib.suppress(ClientDisconnect):  # a page that is closed meanwhile is no fault of the server
                await self.app(scope, receive, send)
        finally:
            self._incoming -= size
