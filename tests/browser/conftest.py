"""Windows onto one running Whybox. Every test of this folder may leave things behind on the server: the next one opens its own page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser_tools import Visitor, run_server


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all, without weights of other models and without a way to fetch them."""
    folder = tmp_path_factory.mktemp("server")
    data, closed = tmp_path_factory.getbasetemp() / "whybox", "http://127.0.0.1:9"
    environment = {"WHYBOX_DATA": str(data), "TORCH_HOME": str(folder), "https_proxy": closed, "http_proxy": closed}
    with run_server(**environment) as running:
        yield running


@pytest.fixture
def visitors(browser: Browser, address: str) -> Iterator[list[Visitor]]:
    """Two windows that share nothing. Afterwards: no fault in either, and nothing was asked of another machine."""
    contexts = [browser.new_context(viewport={"width": 1280, "height": 900}) for _ in range(2)]
    both = [Visitor(context, address) for context in contexts]
    yield both
    for visitor in both:
        if visitor.cards("working").count():  # leaves what it started: nothing may run on into the next test
            visitor.open()
    for context in contexts:
        context.close()
    for visitor in both:
        assert visitor.faults == []
        foreign = [url for url in visitor.requests if not re.match(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|blob:|data:", url)]
        assert foreign == []


@pytest.fixture
def visitor(visitors: list[Visitor]) -> Visitor:
    return visitors[0]
