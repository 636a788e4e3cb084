"""The server: Streamlit's app with the model warmed before the first visitor and security headers on every answer.

`python -m pages.ui.frame.server` serves it under uvicorn itself and not by `App.run`, which would put this folder on the import
path, poll the config file and, on a wildcard address, ask a host on the internet for this machine's address.
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

from pages.ui.frame.uploads import UploadLimit

SCRIPT = Path(__file__).resolve().parents[3] / "app.py"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8501
HEADERS = {
    # blob: is how Streamlit loads its components' inline JavaScript; the hash is the one inline script of its page (a marker for crawlers).
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
    """ASGI middleware that adds HEADERS to every HTTP answer and lets websockets and streams through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _settle_threads() -> None:
    """One thread for each call of linear algebra, as long as the server runs.

    Scikit-learn limits them so for all threads of the process while it looks for neighbours. A map that was made beside another visitor's
    would add up in another order, and t-SNE makes another map of that: the same seed has to give the same one to a whole class.
    """
    import scipy.linalg  # noqa: F401  # brings a library of its own, which is to be there now

    threadpool_limits(1, user_api="blas")


def warm_model() -> None:
    """Load the default model and its forward. Where that fails the pages say why, so the server starts all the same."""
    from xai_core import XaiError, warm  # not above: importing torch takes seconds, and the port is to be taken first

    try:
        warm()
    except (XaiError, OSError, RuntimeError, ValueError) as error:
        logger.warning("The model could not be loaded at start: %s", error)


@contextlib.asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any] | None]:
    """Healthy means warm: nothing is answered before the model is loaded."""
    await asyncio.to_thread(warm_model)
    _settle_threads()
    gc.collect()
    gc.freeze()  # half a million objects of torch that never go: a full collection among them stops every thread for 0.3 s
    yield None
    _stop_jobs()


def _stop_jobs() -> None:
    """Cancel all jobs, or Ctrl-C would wait for every map and every table model. Loads no package for that."""
    if "xai_core" in sys.modules:
        sys.modules["xai_core"].jobs.stop()


def create_app(script: Path = SCRIPT) -> st.App:
    """The ASGI app around a Streamlit script."""
    # st.navigation says so too, but only during the first visitor's first run, whose deep link then gets a box "Page not found".
    PagesManager.uses_pages_directory = False
    return st.App(script, lifespan=lifespan, middleware=[Middleware(SecurityHeaders), Middleware(UploadLimit)])


class Server(uvicorn.Server):
    """A uvicorn server that says its address once it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and sockets:
            print(f"Whybox is ready: {address(sockets[0])} (stop with Ctrl-C)", flush=True)


def address(listener: socket.socket) -> str:
    """The address to type into a browser, for a wildcard host also the one for other machines of the same network."""
    host, port = listener.getsockname()[:2]
    if host not in ("0.0.0.0", "::"):
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a reserved address: picks the outgoing interface, sends nothing
        except OSError:
            return f"http://localhost:{port}"
        return f"http://localhost:{port}, from other machines http://{probe.getsockname()[0]}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, taken before the model is loaded so that a busy port is told at once. Exits with a sentence if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        sys.exit(
            f"Whybox cannot listen on {host} port {port}: {error.strerror}. Choose another, for example: make run PORT=8600"
        )


def settings(environment: Mapping[str, str]) -> tuple[str, int]:
    """Host and port from HOST and PORT. Exits with a sentence if the port is not one."""
    host = environment.get("HOST") or DEFAULT_HOST
    port = environment.get("PORT") or str(DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        sys.exit(f"PORT must be a whole number from 0 to 65535 (0 takes any free port). Got {port!r}.")
    return host, int(port)


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    with listen(host, port) as listener:
        print("Whybox is starting: loading the model ...", flush=True)
        st.get_option("server.port")  # Streamlit reads its config now; later it would undo uvicorn's log levels
        # Protocol, pings and access log as Streamlit's own runner sets them; a page left open must not hold up Ctrl-C.
        config = uvicorn.Config(
            app,
            ws="websockets-sansio",
            ws_ping_interval=30,
            ws_ping_timeout=30,
            ws_per_message_deflate=False,  # as in Streamlit's own server: pictures do not shrink, and numbers cost a quarter of a core
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=3,
        )
        server = Server(config)
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    if not server.started:  # newer uvicorns have left with an error of their own
        sys.exit("Whybox could not start; the lines above say why.")
    print("Whybox has stopped.", flush=True)


app = create_app()


def main() -> None:
    serve(app, *settings(os.environ))


if __name__ == "__main__":
    main()
