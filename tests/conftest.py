"""What all tests share: a data folder of their own, and one Chromium for the browser tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext


def pytest_configure(config: pytest.Config) -> None:
    """Maps kept by an earlier run, or by the person at this computer, must not answer for what is to be computed here."""
    kept = tempfile.TemporaryDirectory(prefix="whybox-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(kept.cleanup)
    os.environ["WHYBOX_DATA"] = kept.name
    os.environ["WHYBOX_LANES"] = "2"  # also on one core: what workers could do to each other has to show here


LONGEST_FIRST = (
    *(
        "methods/test_contract.py",
        "browser/test_pages.py",
        "pages/ui/test_viewer.py",
        "benchmarks/test_fuzz.py",
        "benchmarks/test_benchmarks.py",
        "methods/test_lrp.py",
    ),
    *(
        "methods/test_deep_lift.py",
        "browser/test_tables.py",
        "browser/test_sets.py",
        "benchmarks/test_load.py",
        "engine/test_forward.py",
        "test_cli.py",
        "pages/test_result.py",
    ),
    *(
        "pages/tables/test_path.py",
        "pages/imageset/test_pages.py",
        "test_setup.py",
        "pages/ui/test_late_polls.py",
        "tabular/models/test_train.py",
        "browser/test_scatter.py",
    ),
)
"""Files that take longest: a worker that began one of them last would keep all others waiting."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first, and a test that uses the browser is a browser test."""
    place = {file: number for number, file in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path.relative_to(Path(__file__).parent).as_posix(), len(place)))
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


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
    """One for all tests of a file, so that Streamlit's own files are fetched and compiled once. Each of its tabs is another visitor."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context
