"""A real Chromium and a real server for the tests that need them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Playwright,
    Request,
    TimeoutError as NotInTime,
    WebSocket,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).resolve().parents[1]
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update"
).split()
READY = '[data-testid="stApp"][data-test-script-state="notRunning"][data-test-connection-state="CONNECTED"]'
"""Streamlit's own sign that a run has ended and the page is connected."""
PATIENCE_MS = 240_000
"""Timeout for a page; long, for a busy machine is no fault of the page."""
ERRORS = '[data-testid="stException"], [data-testid="stAlertContentError"]'
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def chromium_path(playwright: Playwright | None = None) -> str | None:
    """The program to start: the system's Chromium, else the one Playwright has downloaded, else None."""
    executable = next((path for path in map(shutil.which, _NAMES) if path), None)
    if executable or playwright is None:
        return executable
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium. Skips the test where the machine has none; fails it in CI, where there must be one."""
    with sync_playwright() as playwright:
        path = chromium_path(playwright)
        if path is None:
            if os.environ.get("CI"):
                pytest.fail("No Chromium found, and in CI the browser tests must run.")
            pytest.skip("No Chromium on this machine: `make browser` fetches one.")
        expect.set_options(timeout=PATIENCE_MS)
        opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield opened
        finally:
            opened.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def serve(
    script: str | os.PathLike[str], port: int = 0, env: Mapping[str, str] | None = None, wait: float = 60
) -> Iterator[str]:
    """Yield the address of a Streamlit server that runs `script` from the project's folder; ended afterwards."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
    }
    options |= {"browser.gatherUsageStats": "false"}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        os.fspath(script),
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    with _running(command, {"PYTHONPATH": str(ROOT), **(env or {})}, address, wait):
        yield address


@contextmanager
def run_server(**env: str) -> Iterator[str]:
    """The address of the server that `make run` starts, warmed. Ended afterwards."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with _running(
        [sys.executable, "-m", "pages.ui.frame.server"], {"HOST": "127.0.0.1", "PORT": str(port), **env}, address, 120
    ):
        yield address


@contextmanager
def _running(command: Sequence[str], env: Mapping[str, str], address: str, wait: float) -> Iterator[None]:
    surroundings = {**os.environ, **env}
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=surroundings, stdout=log, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + wait
            while not _healthy(address):
                if server.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    pytest.fail(f"The server did not start:\n{log.read()[-2000:]}")
                time.sleep(0.1)
            yield
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


class Visitor:
    """One browser window, whose every request, message and fault is noted."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page, self.address = context.new_page(), address
        self.page.set_default_timeout(PATIENCE_MS)
        self.requests: list[str] = []
        self.faults: list[str] = []
        self.messages = 0
        self.page.on("request", self._request)
        self.page.on("websocket", self._socket)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _socket(self, socket: WebSocket) -> None:
        self.requests.append(socket.url)
        socket.on("framesent", self._message)
        socket.on("framereceived", self._message)

    def _message(self, _: object) -> None:
        self.messages += 1

    def open(self, path: str = "/", **link: str) -> Page:
        self.page.goto(f"{self.address}{path}?{urlencode(link)}" if link else f"{self.address}{path}")
        self.ready()
        return self.page

    def ready(self) -> None:
        self.page.wait_for_selector(READY)

    def cards(self, state: str = "done") -> Locator:
        return self.page.locator(f'.card[data-state="{state}"]')

    def button(self, name: str) -> Locator:
        return self.page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True)

    def chip(self, name: str) -> Locator:
        return self.page.get_by_test_id("stButtonGroup").get_by_text(re.compile(f"^{name} "))

    def choose(self, part: str, box: str, option: str) -> None:
        """Choose an option of a list; again where a rerun of the page has closed the list."""
        for last in (False, False, True):
            self.page.get_by_test_id(part).get_by_role("combobox", name=re.compile(box)).click()
            try:
                self.page.get_by_role("option", name=re.compile(option)).click(timeout=PATIENCE_MS if last else 5000)
            except NotInTime:
                if last:
                    raise
                self.page.keyboard.press("Escape")
            else:
                return

    def wait_for_cards(self, count: int) -> None:
        expect(self.cards()).to_have_count(count)
        self.ready()

    @property
    def link(self) -> str:
        return self.page.url.partition("?")[2]


def wait_for_work(visitor: Visitor) -> Page:
    """The page when nothing on it is being computed any more."""
    visitor.ready()
    expect(visitor.button("Stop")).to_have_count(0)
    visitor.ready()
    expect(visitor.page.locator(ERRORS)).to_have_count(0)
    return visitor.page


def expect_text(page: Page, words: str | re.Pattern[str]) -> None:
    expect(page.get_by_test_id("stMain").get_by_text(words).first).to_be_visible()
