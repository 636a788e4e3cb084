"""Server around a small page: warm before healthy, headers on every answer, the policy, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import streamlit as st
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]  # ships no types

from pages.ui.frame import server
from tests.browser_tools import READY, ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGE = """
import numpy as np
import streamlit as st
st.title("Probe")
js = "export default function (c) { c.parentElement.querySelector('#probe').textContent = 'alive' }"
st.components.v2.component("probe", html="<p id='probe'>dead</p>", js=js)()
st.image(np.zeros((8, 8, 3), np.uint8))
if st.button("fail"):
    raise ValueError("a secret of the server")
"""
LAUNCHER = """
import pathlib, sys, time
from pages.ui.frame import server
def warm_model():
    time.sleep(0.5)
    print("warmed", flush=True)
server.warm_model = warm_model
server.serve(server.create_app(pathlib.Path(sys.argv[1])), "127.0.0.1", 0)
"""


class Running:
    """A server in its own process, its output kept line by line."""

    def __init__(self, folder: Path) -> None:
        script = folder / "app.py"
        script.write_text(PAGE)
        (folder / ".streamlit").mkdir()
        (folder / ".streamlit" / "config.toml").write_bytes((ROOT / ".streamlit" / "config.toml").read_bytes())
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder)}
        command = [sys.executable, "-c", LAUNCHER, str(script)]
        self.process = subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.lines: list[str] = []
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if not self.ready.wait(60):
            self.process.kill()
            pytest.fail("the server did not start:\n" + "".join(self.lines))
        line = next(line for line in self.lines if "Whybox is ready" in line)  # others may have come since
        self.url = re.findall(r"http://\S+", line)[0]

    def read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            if "Whybox is ready" in line:
                self.ready.set()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.reader.join(5)


def test_a_failing_warm_up_is_one_sentence_and_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import xai_core
    from xai_core.errors import ModelUnavailable

    def warm() -> None:
        raise ModelUnavailable("The weights are not here.")

    monkeypatch.setattr(xai_core, "warm", warm, raising=False)

    async def start() -> str:
        async with server.lifespan(server.app):
            return "served"

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(start()) == "served"
    assert [record.getMessage() for record in caplog.records] == [
        "The model could not be loaded at start: The weights are not here."
    ]


def test_a_failed_start_is_no_success() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "broken on purpose"})

    with pytest.raises(SystemExit) as ended:
        server.serve(broken, "127.0.0.1", 0)
    assert ended.value.code


def test_what_is_being_made_stops_with_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process waits for its workers: with a map of minutes among them Ctrl-C would seem to do nothing."""
    import xai_core
    from tests.zoo_networks import make_picture, zoo_model

    planned = xai_core.plan(zoo_model("small_cnn"), make_picture(), "lime", params={"samples": 10_000}, seed=4711)

    async def live() -> xai_core.Job[xai_core.Attribution]:
        async with server.lifespan(server.app):
            return xai_core.start(planned, "somebody")

    monkeypatch.setattr(server, "warm_model", lambda: None)
    try:
        job = asyncio.run(live())
        with pytest.raises(xai_core.Cancelled):
            job.wait(10)
    finally:
        gc.unfreeze()


def test_what_was_loaded_at_start_is_not_searched_for_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    async def start() -> int:
        async with server.lifespan(server.app):
            return gc.get_freeze_count()

    monkeypatch.setattr(server, "warm_model", lambda: None)
    gc.unfreeze()
    try:
        assert asyncio.run(start()) > 10_000
    finally:
        gc.unfreeze()


def test_linear_algebra_adds_up_in_one_order_whatever_runs_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scikit-learn's neighbours set the process's threads to one and back, which changes nothing if they are one."""

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    monkeypatch.setattr(server, "warm_model", lambda: None)
    monkeypatch.setattr(server.gc, "freeze", lambda: None)
    with threadpool_limits(2, user_api="blas"):  # put back behind it

        async def start() -> None:
            async with server.lifespan(st.App(server.SCRIPT)):
                assert threads() == {1}

        asyncio.run(start())
        data = np.random.default_rng(0).normal(size=(300, 20))
        NearestNeighbors(algorithm="brute").fit(data).kneighbors(data, 5)
        assert threads() == {1}


def test_websockets_pass_untouched() -> None:
    passed: dict[str, Any] = {}

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        passed.update(send=send, receive=receive)

    async def receive() -> Any: ...

    async def send(message: Any) -> None: ...

    asyncio.run(server.SecurityHeaders(inner)({"type": "websocket"}, receive, send))
    assert passed == {"send": send, "receive": receive}


def test_settings_come_from_the_environment() -> None:
    assert server.read_settings({}) == ("127.0.0.1", 8501)
    assert server.read_settings({"HOST": "0.0.0.0", "PORT": "9000"}) == ("0.0.0.0", 9000)
    assert server.read_settings({"HOST": "", "PORT": ""}) == ("127.0.0.1", 8501)


@pytest.mark.parametrize("port", ["abc", "-1", "65536", "80.5", "²"])
def test_a_wrong_port_is_a_sentence(port: str) -> None:
    with pytest.raises(SystemExit, match=f"PORT must be a whole number .* Got '{port}'"):
        server.read_settings({"PORT": port})


def test_a_busy_port_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"cannot listen on 127.0.0.1 port {port}: .* make run PORT="):
            server.listen("127.0.0.1", port)


def test_address_for_a_wildcard_host_can_be_typed() -> None:
    with server.listen("0.0.0.0", 0) as listener:
        assert server.find_address(listener).startswith(f"http://localhost:{listener.getsockname()[1]}")
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        assert server.find_address(listener) == f"http://[::1]:{listener.getsockname()[1]}"


def test_the_app_is_the_one_beside_the_readme() -> None:
    assert server.SCRIPT == ROOT / "app.py"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = Running(tmp_path_factory.mktemp("server"))
    yield started
    if started.process.poll() is None:
        started.stop()


def test_healthy_means_warm(running: Running) -> None:
    output = "".join(running.lines)
    assert (
        output.index("Whybox is starting") < output.index("warmed") < output.index("Whybox is ready: http://127.0.0.1:")
    )
    assert "(stop with Ctrl-C)" in output
    with urllib.request.urlopen(running.url + "/_stcore/health") as answer:
        assert answer.read() == b"ok"


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/deep/link"])
def test_every_answer_has_the_headers(running: Running, path: str) -> None:
    with urllib.request.urlopen(running.url + path) as answer:
        for name, value in server.HEADERS.items():
            assert answer.headers.get_all(name) == [value]


def open_page(browser: Browser, url: str) -> tuple[Page, list[str]]:
    """The loaded page and a list that fills with what the policy refuses and what asks another machine."""
    page = browser.new_page()
    noticed: list[str] = []
    page.on("console", lambda message: noticed.append(message.text) if message.type == "error" else None)
    page.on(
        "request",
        lambda request: None if request.url.startswith((url, "blob:", "data:")) else noticed.append(request.url),
    )
    page.goto(url)
    page.wait_for_selector(READY, timeout=30_000)
    return page, noticed


def test_page_and_component_live_under_the_policy(running: Running, browser: Browser) -> None:
    page, noticed = open_page(browser, running.url)
    page.get_by_text("alive").wait_for()
    assert page.locator("[data-testid=stImage] img").evaluate("image => image.complete && image.naturalWidth") == 8
    assert page.evaluate("document.featurePolicy.allowsFeature('camera')") is True
    assert page.evaluate("document.featurePolicy.allowsFeature('microphone')") is False
    assert noticed == []
    # The policy is in force: an injected inline script does not run and is noticed.
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.injected = 1' }))"
    )
    assert page.evaluate("window.injected") is None
    assert any("Content Security Policy" in text for text in noticed)
    page.close()


def test_an_unforeseen_error_keeps_its_text_from_the_visitor(running: Running, browser: Browser) -> None:
    page, _ = open_page(browser, running.url)
    page.get_by_role("button", name="fail").click()
    page.get_by_test_id("stException").wait_for()
    assert "secret" not in page.content()
    assert "a secret of the server" in "".join(running.lines)
    page.close()


def test_ctrl_c_ends_it_cleanly_and_nothing_else_was_printed(running: Running, browser: Browser) -> None:
    page, _ = open_page(browser, running.url)  # an open page must not hold it up
    assert running.stop() == 0
    page.close()
    output = "".join(running.lines)
    assert output.endswith("Whybox has stopped.\n")
    assert "Uvicorn" not in output and "KeyboardInterrupt" not in output and "GET /" not in output
