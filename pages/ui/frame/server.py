"""The server: Streamlit's app with the model warmed before the first visitor and security headers on every answer.

`python -m pages.ui.frame.server` serves it under uvicorn itself and not by `App.run`, which would put this folder on
the import path, poll the config file and, on a wildcard address, ask a host on the internet for this machine's address.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.pages_manager import PagesManager
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from pages.ui.frame.browser_cookie import BrowserCookie
from pages.ui.frame.unknown_address import UnknownAddress
from pages.ui.frame.uploads import UploadLimit

SCRIPT = Path(__file__).resolve().parents[3] / "app.py"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8501
HEADERS = {
    # Streamlit loads its components' JavaScript from blob:; the hash is its page's one inline script, for crawlers.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' blob: 'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
        "object-src 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}

logger = logging.getLogger("whybox.server")


class SecurityHeaders:
    """ASGI middleware that adds HEADERS to every HTTP answer and leaves websockets and streams alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _limit_blas_threads() -> None:
    """Limit linear algebra to one thread a call, as long as the server runs.

    Scikit-learn limits them so for all threads of the process while it looks for neighbours. A map that was made beside
    another visitor's would add up in another order, and t-SNE makes another map of that: the same seed has to give the
    same one to a whole class.
    """
    # Brings a BLAS of its own, which has to be loaded before it can be limited.
    import scipy.linalg  # noqa: F401

    threadpool_limits(1, user_api="blas")


def warm_model() -> None:
    """Load the default model and its forward. If that fails the server starts all the same: the pages say why."""
    # Not above: importing torch takes seconds, and the port is to be taken first.
    from xai_core import XaiError, warm

    try:
        warm()
    except (XaiError, OSError, RuntimeError, ValueError) as error:
        logger.warning("The model could not be loaded at start: %s", error)


@contextlib.asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any] | None]:
    """Load the model before the first answer: healthy means warm."""
    await asyncio.to_thread(warm_model)
    _limit_blas_threads()
    gc.collect()
    # A full collection among torch's half a million objects, which never go, stops every thread for 0.3 s.
    gc.freeze()
    yield None
    _stop_jobs()


def _stop_jobs() -> None:
    """Cancel all jobs, or Ctrl-C would wait for every map and every table model. Loads no package for that."""
    if "xai_core" in sys.modules:
        sys.modules["xai_core"].jobs.stop()


def create_app(script: Path = SCRIPT) -> st.App:
    """Return the ASGI app around a Streamlit script."""
    # st.navigation sets it too, but only in the first run, whose deep link then gets a box "Page not found".
    PagesManager.uses_pages_directory = False
    pages = [path.stem for path in script.parent.glob("pages/*/*.py")]
    middleware = [
        Middleware(SecurityHeaders),
        Middleware(BrowserCookie),
        Middleware(UploadLimit),
        Middleware(UnknownAddress, pages),
    ]
    return st.App(script, lifespan=lifespan, middleware=middleware)


class Server(uvicorn.Server):
    """Uvicorn server that prints its address once it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and sockets:
            print(f"Whybox is ready: {find_address(sockets[0])} (stop with Ctrl-C)", flush=True)


def find_address(listener: socket.socket) -> str:
    """Return the address to type into a browser; of a wildcard host also the one for other machines."""
    host, port = listener.getsockname()[:2]
    if host not in ("0.0.0.0", "::"):
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # A reserved address: picks the outgoing interface, sends nothing.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return f"http://localhost:{port}"
        return f"http://localhost:{port}, from other machines http://{probe.getsockname()[0]}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """Bind a socket before the model is loaded, so that a busy port is reported at once. Exits with a sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        sys.exit(
            f"Whybox cannot listen on {host} port {port}: {error.strerror}. "
            "Choose another, for example: make run PORT=8600"
        )


def read_settings(environment: Mapping[str, str]) -> tuple[str, int]:
    """Return host and port from HOST and PORT. Exits with a sentence if the port is not one."""
    host = environment.get("HOST") or DEFAULT_HOST
    port = environment.get("PORT") or str(DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        sys.exit(f"PORT must be a whole number from 0 to 65535 (0 takes any free port). Got {port!r}.")
    return host, int(port)


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    with listen(host, port) as listener:
        print("Whybox is starting: loading the model …", flush=True)
        # Makes Streamlit read its config now; later it would undo uvicorn's log levels.
        st.get_option("server.port")
        # Protocol, pings and access log as Streamlit's own runner sets them; a page left open must not hold up Ctrl-C.
        config = uvicorn.Config(
            app,
            ws="websockets-sansio",
            ws_ping_interval=30,
            ws_ping_timeout=30,
            # Off as in Streamlit's own server: pictures do not shrink, and numbers cost a quarter of a core.
            ws_per_message_deflate=False,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=3,
        )
        server = Server(config)
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    # Newer uvicorns have exited with an error of their own.
    if not server.started:
        sys.exit("Whybox could not start; the lines above say why.")
    print("Whybox has stopped.", flush=True)


app = create_app()


def main() -> None:
    """Serve the dashboard."""
    serve(app, *read_settings(os.environ))


if __name__ == "__main__":
    main()
