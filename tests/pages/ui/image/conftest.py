"""The page with the viewer alone, on a server of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser_tools import serve
from tests.pages.ui.image.viewer_page import ViewerPage


@pytest.fixture(scope="module")
def address(browser: Browser) -> Iterator[str]:
    with serve(Path(__file__).parents[2] / "viewer_app.py") as running:
        yield running


@pytest.fixture
def viewer(window: BrowserContext, address: str) -> Iterator[ViewerPage]:
    viewer = ViewerPage(window.new_page(), address)
    yield viewer
    viewer.page.close()
    assert viewer.faults == []
