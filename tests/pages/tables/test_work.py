"""Long work on a table page: progress, stopping, failing in words, and that nobody's work is stopped by somebody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.tables import work
from tests.pages.tables.looks import said, working
from tests.pages.visit import fine, until
from xai_core import InvalidParam, Job

DOOR = threading.Event()
RUNS: list[str] = []


def page() -> None:
    import streamlit as st

    from pages.ui.tables import show, work
    from tests.pages.tables import test_work

    show.style()
    work.begin()
    if st.toggle("wanted", True, key="wanted"):
        found = work.ask(("slow", st.session_state.get("which", "a")), test_work.slow, "Doing it")
        show.say(f"found {found}")
    work.end()


def slow(job: Job[str]) -> str:
    RUNS.append("run")
    job.expect(100)
    while not DOOR.is_set():
        time.sleep(0.01)
        job.tick()
    if RUNS.count("fail") > 0:
        raise InvalidParam("It must not be. Got nothing.")
    return "it"


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    DOOR.clear()
    RUNS.clear()
    yield
    DOOR.set()
    work._JOBS.stop()
    work._JOBS._by_key.clear()


def visit() -> AppTest:
    return fine(AppTest.from_function(page, default_timeout=30).run())


def job(at: AppTest) -> Job[str] | None:
    return work._JOBS.find(("slow", "a"))


def test_it_shows_progress_and_then_the_result() -> None:
    at = visit()
    assert working(at) and "found None" in said(at)
    DOOR.set()
    at = until(at, lambda at: not working(at))
    assert "found it" in said(at)
    assert RUNS == ["run"], "polling starts nothing"


def test_two_visitors_share_it_and_one_may_stop(closed: None) -> None:
    first, second = visit(), visit()
    assert len(RUNS) == 1
    stop = next(button for button in first.main.button if button.label == "Stop")
    stop.click()
    first.run()
    shared = job(second)
    assert shared is not None and not shared.stopping
    DOOR.set()
    until(second, lambda at: "found it" in said(at))


def test_the_only_one_stops_it_and_goes_on() -> None:
    at = visit()
    stopped = job(at)
    next(button for button in at.main.button if button.label == "Stop").click()
    at.run()
    assert stopped is not None and stopped.stopping
    DOOR.set()
    next(button for button in at.main.button if button.label == "Go on").click()
    at = until(at.run(), lambda at: "found it" in said(at))


def test_what_is_no_longer_asked_for_stops() -> None:
    at = visit()
    left = job(at)
    at.toggle(key="wanted").set_value(False).run()
    assert left is not None and left.stopping


def test_a_failure_is_said_and_only_tried_again_on_request() -> None:
    RUNS.append("fail")
    DOOR.set()
    at = until(visit(), lambda at: "It must not be" in said(at))
    runs = len(RUNS)
    at.run()
    assert len(RUNS) == runs, "looking again does not try again"
    RUNS.remove("fail")
    next(button for button in at.main.button if button.label == "Try again").click()
    until(at.run(), lambda at: "found it" in said(at))
