"""A real Chromium and a real server for the tests that need them."""

from __future__ import annotations

import os
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

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update".split()
READY = '[data-testid="stApp"][data-test-script-state="notRunning"][data-test-connection-state="CONNECTED"]'
"""Streamlit's own sign that a run has ended and the page is connected."""
PATIENCE_MS = 240_000
"""How long a page is waited for at most: nothing is slow on a quiet machine, and a busy one is no fault of the page."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def chromium_path(playwright: Playwright | None = None) -> str | None:
    """The program to start: the system's Chromium, else the one Playwright has downloaded, else None."""
    found = next((path for path in map(shutil.which, _NAMES) if path), None)
    if found or playwright is None:
        return found
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
def serve(script: str | os.PathLike[str], port: int = 0, env: Mapping[str, str] | None = None, wait: float = 60) -> Iterator[str]:
    """The address of a Streamlit server that runs `script`, from the project's folder, on this machine only. Ended afterwards."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true", "server.fileWatcherType": "none"}
    options |= {"browser.gatherUsageStats": "false"}
    command = [sys.executable, "-m", "streamlit", "run", os.fspath(script), *(f"--{name}={value}" for name, value in options.items())]
    with _running(command, {"PYTHONPATH": str(ROOT), **(env or {})}, address, wait):
        yield address


@contextmanager
def run_server(**env: str) -> Iterator[str]:
    """The address of the server that `make run` starts, warmed. Ended afterwards."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with _running([sys.executable, "-m", "pages.ui.server"], {"HOST": "127.0.0.1", "PORT": str(port), **env}, address, 120):
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
