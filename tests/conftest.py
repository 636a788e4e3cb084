"""Fixtures of all tests: a data folder of their own, and one Chromium for the browser tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext


def pytest_configure(config: pytest.Config) -> None:
    """Use a data folder of this run, so that stored maps of others never replace a computation."""
    data_dir = tempfile.TemporaryDirectory(prefix="whybox-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(data_dir.cleanup)
    os.environ["WHYBOX_DATA"] = data_dir.name
    # Also on one core: faults between workers have to show here.
    os.environ["WHYBOX_LANES"] = "2"
    # A build in the background would change the engine, and with it last bits, between two equal requests.
    os.environ["WHYBOX_COMPILED_GRADIENTS"] = "0"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with modules marked long, or a worker that starts one last keeps the others waiting; mark browser tests."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all, without weights of other models and without a way to fetch them."""
    folder = tmp_path_factory.mktemp("server")
    data, closed = tmp_path_factory.getbasetemp() / "whybox", "http://127.0.0.1:9"
    environment = {"WHYBOX_DATA": str(data), "TORCH_HOME": str(folder), "https_proxy": closed, "http_proxy": closed}
    from tests import browser_tools

    with browser_tools.run_server(**environment) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium. Without one the test is skipped, but never in CI.

    One a module, because Playwright keeps an event loop running: no test after it could call asyncio.run.
    """
    from tests import browser_tools

    with browser_tools.browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """One browser context a module, so that Streamlit's files are fetched once; each of its tabs is another visitor."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context
