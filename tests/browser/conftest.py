"""Tabs onto one running Whybox; each test opens its own page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.browser_tools import Visitor, serve

SCRIPT = Path(__file__).with_name("scatter_app.py")
SERVER = f"""
import streamlit as st
from starlette.middleware import Middleware
from pages.ui.frame.server import SecurityHeaders

app = st.App({str(SCRIPT)!r}, middleware=[Middleware(SecurityHeaders)])
"""


@pytest.fixture(scope="session")
def parts_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all, with single parts of pages."""
    folder = tmp_path_factory.mktemp("parts")
    (folder / "app.py").write_text(SERVER, encoding="utf-8")
    with serve(folder / "app.py") as running:
        yield running


@contextmanager
def _tab(window: BrowserContext, address: str) -> Iterator[Visitor]:
    """A new tab, in front of all others. Afterwards: no fault in it, and nothing was asked of another machine."""
    visitor = Visitor(window, address)
    yield visitor
    if visitor.cards("working").count():  # leaves what it started: nothing may run on into the next test
        visitor.open()
    visitor.page.close()
    assert visitor.faults == []
    foreign = [
        url
        for url in visitor.requests
        if not re.match(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|blob:|data:", url)
    ]
    assert foreign == []


@pytest.fixture
def visitor(window: BrowserContext, address: str) -> Iterator[Visitor]:
    with _tab(window, address) as tab:
        yield tab


@pytest.fixture
def visitors(visitor: Visitor, window: BrowserContext, address: str) -> Iterator[list[Visitor]]:
    """Two tabs, each a session of its own; the second is in front."""
    with _tab(window, address) as second:
        yield [visitor, second]
