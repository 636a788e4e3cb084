"""The page that says what the computer is doing: true numbers, plain words, and looking stops nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.widgets import background
from tests.pages.page_reader import WAIT_S, check_page, read_panels, run_until
from xai_core.engine.results.store import Store
from xai_core.imageset.projection import service as maps
from xai_core.imageset.runs import inference as run
from xai_core.imageset.sets import library
from xai_core.methods.run import service
from xai_core.tabular import service as training

Open = Callable[..., AppTest]
STATUS, EXPLAIN = "pages/learn/status.py", "pages/image/explain.py"
LONG = {"method": "lime", "lime_samples": "10000"}


@pytest.fixture(autouse=True)
def idle() -> None:
    """Nothing of an earlier test is still being made."""
    end = time.monotonic() + WAIT_S
    while (status := xai_core.status()).working or status.waiting:
        assert time.monotonic() < end
        time.sleep(0.1)


def figures(at: AppTest) -> dict[str, str]:
    """The numbers by their plain words."""
    return {metric.label.partition(" *")[0]: metric.value for metric in at.metric}


def summary(at: AppTest) -> str:
    """The whole page in one sentence."""
    return next(text.value.strip("*") for text in at.main.markdown if text.value.startswith("**"))


def test_an_idle_computer(open_app: Open) -> None:
    at = check_page(open_app(STATUS))
    assert at.title[0].value == "Server activity"
    assert summary(at).startswith("Nothing is running right now.")
    assert figures(at)["Waiting"] == figures(at)["Running"] == "0"
    assert [metric.label.partition("*")[2].rstrip("*") for metric in at.metric] == [
        "(queue)",
        "(running jobs)",
        "(sessions)",
        "(evaluations)",
        "(stored results)",
        "(cache hits)",
    ]
    (models,) = [cast(Any, element).proto.body for element in at.main.get("html")]
    assert all(name in models for name in xai_core.status().models)
    assert "EfficientNet-Lite0" in models


def test_a_job_is_seen_by_others_and_not_stopped_by_looking(open_app: Open) -> None:
    busy = open_app(EXPLAIN, **LONG, seed="41")
    (result,) = busy.session_state["asked"]
    at = check_page(run_until(open_app(STATUS), lambda at: figures(at)["Running"] == "1"))
    assert summary(at) == "1 task is running, and nobody has to wait."
    assert int(figures(at)["People"]) >= 1
    check_page(busy.switch_page(STATUS).run())
    job = xai_core.jobs.watch(result, busy.session_state["session_id"])
    assert job is not None
    assert not job.is_stopping, "who looks at the queue still waits for the map"


def test_waiting_jobs_are_counted_and_say_their_place(open_app: Open) -> None:
    busy = [open_app(EXPLAIN, **LONG, seed=str(seed)) for seed in range(42, 50)]
    at = check_page(run_until(open_app(STATUS), lambda at: int(figures(at)["Waiting"]) > 0))
    assert int(figures(at)["Waiting"]) + int(figures(at)["Running"]) == 8
    assert "for a turn" in summary(at)
    (last,) = read_panels(busy[-1].run())
    assert (last["state"], last["message"]) == ("waiting", "Number 2 in the queue")
    assert [cast(Any, element).proto.text.partition(": ")[2] for element in busy[-1].main.get("progress")] == [
        "number 2 in the queue"
    ]


def test_whatever_is_made_counts(open_app: Open) -> None:
    gate, at = threading.Event(), check_page(open_app(STATUS))
    people = int(figures(at)["People"])
    pools = (background._POOL, training._POOL, library._POOL, run._POOL, maps._POOL, service._MODEL_POOL)
    jobs = [
        pool.start("status", lambda _job: gate.wait(WAIT_S), cost=1000, memory=2**20, session_id="one who does much")
        for pool in pools
    ]
    try:
        at = check_page(run_until(at, lambda at: figures(at)["Running"] == "6"))
        assert summary(at) == "6 tasks are running, and nobody has to wait."
        assert int(figures(at)["People"]) == people + 1
        assert xai_core.status().reserved_mb == 6
        assert next(cast(Any, element).proto.text for element in at.main.get("progress")).startswith("6 MB of ")
    finally:
        gate.set()
    for job in jobs:
        job.wait(WAIT_S)
    for pool in pools:
        pool.leave("one who does much")


def test_a_map_found_ready_counts(open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    monkeypatch.setattr(service, "_store", lambda: store)
    at = check_page(open_app(STATUS))
    assert (figures(at)["Kept"], figures(at)["Ready at once"]) == ("0", "–")
    model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    result = xai_core.plan(model, image, "saliency", 6).id  # a class nobody else here asks about
    assert xai_core.find(result) is None
    store.put(result, xai_core.explain(model, image, "saliency", 6))
    assert xai_core.find(result) is not None
    at = check_page(at.run())
    assert (figures(at)["Kept"], figures(at)["Ready at once"]) == ("1", "50 %")
    store.close()


def test_a_store_without_a_disk_says_so(open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    store = Store(tmp_path / "file")
    monkeypatch.setattr(service, "_store", lambda: store)
    at = check_page(open_app(STATUS))
    assert [box.value for box in at.warning] == [xai_core.store_note()]
