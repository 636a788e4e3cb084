"""Changing the model: the old one serves while the new one loads or cannot be had."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.widgets import models
from tests.pages.page_reader import check_page, explained_class, list_errors, panel_states, run_until
from xai_core import Cancelled, Job

Open = Callable[..., AppTest]
COMPARE, EXPLAIN = "pages/image/compare.py", "pages/image/explain.py"
FILE = "alexnet-owt-7be5be79.pth"


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights and no network: the way out leads to a closed port. Returns where the weights would go."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr("urllib.request._opener", None)  # it would keep these for the tests that come after
    return tmp_path


def has_failed(at: AppTest) -> bool:
    return bool(list_errors(at))


def test_every_bundled_model_explains(open_app: Open) -> None:
    at = open_app(EXPLAIN)
    for name, size in (("small_cnn", 28), ("efficientnet_lite1", 240)):
        at.selectbox(key="model").set_value(name)
        check_page(run_until(at.run(), lambda at, name=name: at.session_state["model_in_use"] == name))
        seen = [str(image.proto) for image in at.main.image]
        assert any(f"as the model sees it: {size}" in text for text in seen)
        run_until(at, lambda at: panel_states(at)["grad_cam"] == "done")


def test_without_weights_and_network_the_old_model_stays_in_use(open_app: Open, offline: Path) -> None:
    at = open_app(COMPARE)
    at.selectbox(key="model").set_value("alexnet")
    check_page(run_until(at.run(), has_failed))
    assert list_errors(at)[0].startswith("AlexNet could not be loaded.")
    assert not any(words in list_errors(at)[0] for words in (FILE, str(offline), "Errno", "pip", "http"))
    assert [info.value for info in at.info] == ["EfficientNet-Lite0 stays in use."]
    assert at.selectbox(key="model").value == "efficientnet_lite0", "what could not be loaded is not left selected"
    assert explained_class(at) == "espresso"
    at.pills(key="guess").set_value(968)
    assert explained_class(check_page(at.run())) == "cup", "the page stays usable"
    assert at.session_state["model_in_use"] == "efficientnet_lite0"


def test_trying_again_looks_again(open_app: Open, offline: Path, caplog: pytest.LogCaptureFixture) -> None:
    at = open_app(EXPLAIN)
    at.selectbox(key="model").set_value("alexnet")
    run_until(at.run(), has_failed)
    folder = offline / "hub" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(b"a file somebody put there")
    caplog.clear()
    with caplog.at_level("WARNING"):
        at.run()
        assert "AlexNet" not in caplog.text and "alexnet" not in caplog.text, "nothing is asked for again unbidden"
        at.button(key="retry_model").click()
        check_page(run_until(at.run(), lambda at: "damaged or not a weights file" in caplog.text and has_failed(at)))


def test_a_link_to_it_falls_back_to_the_bundled_model(open_app: Open, offline: Path) -> None:
    at = open_app(EXPLAIN, model="alexnet", **{"class": "cup"})
    check_page(run_until(at, has_failed))
    assert (explained_class(at), at.query_params) == ("cup", {"class": "cup"})
    at.selectbox(key="model").set_value("efficientnet_lite1")
    assert list_errors(check_page(at.run())) == []


def test_a_model_in_memory_waits_for_no_download(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise AssertionError("the line of downloads was joined")

    at = open_app(EXPLAIN)
    monkeypatch.setattr(models.xai_core, "start_model", busy)
    assert explained_class(check_page(at.run())) == "espresso"
    assert explained_class(check_page(open_app(COMPARE))) == "espresso", "nor for a new visitor"


def test_a_download_ends_with_the_last_who_waits_for_it(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_name: str, job: Job[None]) -> None:
        while True:
            time.sleep(0.01)
            job.tick()

    monkeypatch.setattr("xai_core.methods.run.service._load", endless)
    job = xai_core.start_model("resnet18", "somebody else")
    at = open_app(EXPLAIN)
    at.selectbox(key="model").set_value("resnet18")
    at.run().button(key="stop_model").click()
    check_page(at.run())
    assert at.session_state["model"] == "efficientnet_lite0" and explained_class(at) == "espresso"
    assert not job.is_stopping, "somebody else waits"
    xai_core.jobs.leave("somebody else", pool="models")
    with pytest.raises(Cancelled):
        job.wait(10)
