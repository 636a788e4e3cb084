"""Fixtures of the page tests: the app for one visitor, with the real model, without a browser."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator

import pytest
from PIL import ImageDraw
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, app_test, local_script_runner

import xai_core
from pages.ui.frame import browser_cookie
from tests.browser_tools import ROOT

HOME, COMPARE, EXPLAIN = "pages/start/home.py", "pages/image/compare.py", "pages/image/explain.py"
Open = Callable[..., AppTest]


@pytest.fixture(scope="session", autouse=True)
def warm_model() -> None:
    """The server has loaded the model before its first visitor; so does this."""
    xai_core.warm()


@pytest.fixture(scope="session", autouse=True)
def shared_scans() -> Iterator[None]:
    """Scan installed packages and compile pages once, as a server does; AppTest does both for every visitor."""
    compiled = ScriptCache()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            manifest_scanner, "scan_component_manifests", functools.cache(manifest_scanner.scan_component_manifests)
        )
        for module in (app_test, local_script_runner):
            patch.setattr(module, "ScriptCache", lambda: compiled)
        yield


@pytest.fixture(autouse=True)
def no_cookies(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest answers for cookies with another mock in every run."""
    monkeypatch.setattr(browser_cookie, "browser_secret", lambda: "")


@pytest.fixture
def open_app() -> Iterator[Open]:
    """`open_app(page, sample="rocket", ...)` opens a link as a new visitor, whose jobs are left afterwards."""
    visitors: list[AppTest] = []

    def open_page(page: str = HOME, **link: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        visitors.append(at)
        at.query_params.update(link)
        if page != HOME:
            at.switch_page(page)
        at.run()
        return at

    yield open_page
    for at in visitors:
        if "session_id" in at.session_state:
            xai_core.jobs.leave(at.session_state["session_id"], pool="attributions")


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    """A photograph as a phone would send it: large, a JPEG, and not one of the samples."""
    photo = xai_core.SAMPLES.get("chelsea").load().resize((1600, 1064))
    ImageDraw.Draw(photo).rectangle((0, 0, 60, 60), fill="red")
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=88)
    return file.getvalue()
