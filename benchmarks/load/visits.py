"""A visitor without a browser: Streamlit's websocket protocol.

Kept light, since it shares the server's cores.
"""

from __future__ import annotations

import asyncio
import http.client
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import FileUploaderState, FileURLsRequest, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from benchmarks.load.page import Card, Page

XSRF = "_streamlit_xsrf"
TIMEOUT_S = 60.0
ENDED = ("done", "failed", "cancelled")


class VisitFailed(Exception):
    """An expected change of the page did not come, or the connection was lost."""


class Visitor:
    """One open tab. `visit` opens and closes it."""

    def __init__(self, address: str, token: str, socket: ClientConnection) -> None:
        self.page = Page()
        self.arrivals: dict[str, float] = {}
        """First arrival (time.perf_counter) of each card's map since the last click."""
        self.clicked_at = time.perf_counter()
        self._clicked_run = 0
        self._address, self._token, self._socket = address, token, socket
        self._news = asyncio.Event()
        self._polls: dict[str, asyncio.Task[None]] = {}
        self._lost = ""

    async def read(self) -> None:
        """Merge messages until the connection ends. Runs concurrently with everything else."""
        try:
            async for frame in self._socket:
                message = ForwardMsg()
                message.ParseFromString(frame if isinstance(frame, bytes) else frame.encode())
                self.page.merge(message)
                self._record_arrivals()
                self._update_polls()
                self._news.set()
        except ConnectionClosed as end:
            self._lost = f"the server closed the connection: {end}"
        except KeyError as gap:
            self._lost = f"the server named a message that it never sent: {gap}"
        finally:
            self._lost = self._lost or "the connection ended"
            self._news.set()

    @property
    def is_fresh(self) -> bool:
        """True once the cards belong to the last click."""
        return self.page.cards_run > self._clicked_run

    def _record_arrivals(self) -> None:
        if self.is_fresh:
            now = time.perf_counter()
            for card in self.page.cards:
                if card["map"] is not None:
                    self.arrivals.setdefault(card["id"], now)

    def _update_polls(self) -> None:
        for name in self._polls.keys() - self.page.polls.keys():
            self._polls.pop(name).cancel()
        for name in self.page.polls.keys() - self._polls.keys():
            self._polls[name] = asyncio.create_task(self._poll(name, self.page.polls[name]))

    async def _poll(self, fragment: str, interval: float) -> None:
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(interval)
                await self._rerun(fragment=fragment, polling=True)

    async def _rerun(
        self,
        trigger: WidgetState | None = None,
        fragment: str = "",
        polling: bool = False,
        page: str = "",
        query: str | None = None,
    ) -> None:
        states = [*self.page.widgets.values(), *([trigger] if trigger else [])]
        state = ClientState(
            query_string=self.page.query if query is None else query,
            page_script_hash="" if page else self.page.script,
            page_name=page,
            fragment_id=fragment,
            is_auto_rerun=polling,
            widget_states=WidgetStates(widgets=states),
            cached_message_hashes=self.page.cached_hashes,
        )
        await self._socket.send(BackMsg(rerun_script=state).SerializeToString())

    def _click(self) -> None:
        self._clicked_run, self.clicked_at = self.page.full_runs, time.perf_counter()
        self.arrivals = {}

    async def open(self, page: str, query: Mapping[str, object]) -> None:
        """Start the first run by a link; `page` is its name in the address, empty for the first page."""
        self._click()
        self.page.query = urlencode(query)
        await self._rerun(page=page)

    async def wait_until(self, done: Callable[[], bool], what: str, seconds: float = TIMEOUT_S) -> None:
        """Wait until `done()` is true.

        Raises:
            VisitFailed: After `seconds`, or when the connection is lost.
        """
        deadline = time.monotonic() + seconds
        while not done():
            self._news.clear()
            if self._lost:
                raise VisitFailed(f"No {what}: {self._lost}.")
            try:
                await asyncio.wait_for(self._news.wait(), max(deadline - time.monotonic(), 0))
            except asyncio.TimeoutError:
                raise VisitFailed(f"No {what} within {seconds:.0f} s; {self._describe_page()}.") from None

    def _describe_page(self) -> str:
        """Describe the state of the page for an error message."""
        cards = ", ".join(f"{card['id']} {card['state']}" for card in self.page.cards) or "none"
        runs = f"{self.page.full_runs} whole runs, {self._clicked_run} of them before the last click"
        standing = "running" if self.page.running else "standing still"
        return (
            f"the page says {self.page.errors}; cards: {cards}; {runs}; {standing}, {len(self.page.polls)} looks go on"
        )

    async def settle(self, seconds: float = TIMEOUT_S) -> None:
        """Wait until the run of the last click has ended and nothing is polled."""
        page = self.page
        await self.wait_until(
            lambda: page.full_runs > self._clicked_run and not page.running and not page.polls,
            "end of the run",
            seconds,
        )

    async def set_widget(self, name: str, **value: Any) -> None:
        """Set the widget with this label or key, as one field of WidgetState: string_value="Coffee"."""
        await self._set(name, WidgetState(**value), keep=True)

    async def select_option(self, name: str, index: int) -> None:
        """Select one option of a selectbox by its index."""
        await self.wait_until(lambda: self.page.find(name) is not None, f"widget {name!r}")
        node = self.page.find(name)
        await self.set_widget(name, string_value=node.inner.options[index] if node else "")

    async def press(self, name: str) -> None:
        """Press the button with this label or key."""
        await self._set(name, WidgetState(trigger_value=True), keep=False)

    async def _set(self, name: str, state: WidgetState, keep: bool) -> None:
        await self.wait_until(lambda: self.page.find(name) is not None, f"widget {name!r}")
        node = self.page.find(name)
        # For the type checker: it was there an instant ago, and nothing was awaited since.
        if node is None:
            return
        state.id = node.inner.id
        if keep:
            self.page.widgets[state.id] = state
        self._click()
        await self._rerun(trigger=None if keep else state, fragment=node.fragment)

    async def upload(self, name: str, file: str, data: bytes) -> None:
        """Upload a file to the uploader with this label or key, over Streamlit's own upload address."""
        await self.wait_until(lambda: bool(self.page.session), "session")
        request_id = uuid.uuid4().hex
        request = FileURLsRequest(request_id=request_id, file_names=[file], session_id=self.page.session)
        await self._socket.send(BackMsg(file_urls_request=request).SerializeToString())
        await self.wait_until(lambda: request_id in self.page.uploads, "place for the upload")
        urls = self.page.uploads.pop(request_id)
        status = await asyncio.to_thread(_put_file, self._address, urls.upload_url, self._token, file, data)
        if status != 204:
            raise VisitFailed(f"The upload of {file} was answered with {status}.")
        info = UploadedFileInfo(name=file, size=len(data), file_id=urls.file_id, file_urls=urls)
        await self.set_widget(name, file_uploader_state_value=FileUploaderState(uploaded_file_info=[info]))

    async def wait_for_maps(self, count: int = 1, seconds: float = TIMEOUT_S) -> dict[str, Card]:
        """Wait until all cards of the last click, at least `count`, have ended; return the cards by id."""

        def all_cards_end() -> bool:
            return (
                self.is_fresh
                and len(self.page.cards) >= count
                and all(card["state"] in ENDED for card in self.page.cards)
            )

        await self.wait_until(all_cards_end, f"{count} maps", seconds)
        return {card["id"]: card for card in self.page.cards}

    def stop_polling(self) -> None:
        """Stop all polls, as a closed tab does."""
        for task in self._polls.values():
            task.cancel()


def _put_file(address: str, path: str, token: str, file: str, data: bytes) -> int:
    """Send one file as a browser's form does and return the HTTP status."""
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{file}"; filename="{file}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    headers = {"X-Xsrftoken": token, "Cookie": f"{XSRF}={token}", "Origin": address}
    headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT_S)
    try:
        connection.request("PUT", path, head.encode() + data + f"\r\n--{boundary}--\r\n".encode(), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _fetch_token(address: str) -> str:
    """Fetch the XSRF cookie that the server gives to every new browser."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/_stcore/health")
        cookies = connection.getresponse().headers.get_all("Set-Cookie") or []
    finally:
        connection.close()
    return next((text.partition("=")[2].partition(";")[0] for text in cookies if text.startswith(f"{XSRF}=")), "")


@asynccontextmanager
async def visit(address: str, query: Mapping[str, object], page: str = "") -> AsyncIterator[Visitor]:
    """Open a tab by a link and close it at the end as a browser does, also during a job."""
    token = await asyncio.to_thread(_fetch_token, address)
    protocols = [Subprotocol("streamlit"), Subprotocol(token)] if token else [Subprotocol("streamlit")]
    socket = await connect(
        f"{address.replace('http', 'ws', 1)}/_stcore/stream",
        origin=Origin(address),
        subprotocols=protocols,
        additional_headers={"Cookie": f"{XSRF}={token}"} if token else {},
        max_size=None,
        open_timeout=TIMEOUT_S,
        ping_interval=None,
        proxy=None,
    )
    visitor = Visitor(address, token, socket)
    reader = asyncio.create_task(visitor.read())
    try:
        await visitor.open(page, query)
        yield visitor
    finally:
        visitor.stop_polling()
        await socket.close()
        await reader
