"""Background work on a page: progress, stop, failure in words; no session stops the work of another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.widgets import background
from tests.pages.page_reader import check_page, run_until
from tests.pages.tables.page_reader import is_working, read_text
from xai_core import InvalidParam, Job, jobs

GATE = threading.Event()
RUNS: list[str] = []
MEETING = threading.Barrier(2)


def draw_page() -> None:
    import streamlit as st

    from pages.ui.widgets import background, show
    from tests.pages.ui.widgets import test_background

    show.write_style()
    background.begin()
    if st.toggle("wanted", True, key="wanted"):
        result = background.compute(
            ("slow", st.session_state.get("which", "a")), test_background.wait_for_gate, "Doing it"
        )
        show.write(f"found {result}")
    background.end()


def wait_for_gate(job: Job[str]) -> str:
    RUNS.append("run")
    job.expect(100)
    while not GATE.is_set():
        time.sleep(0.01)
        job.tick()
    if RUNS.count("fail") > 0:
        raise InvalidParam("It must not be. Got nothing.")
    return "it"


def meet(job: Job[str]) -> str:
    """Return only when another call runs in parallel."""
    MEETING.wait(10)
    return "met"


def draw_both_sides() -> None:
    from pages.ui.widgets import background, show
    from tests.pages.ui.widgets import test_background

    show.write_style()
    background.begin()
    background.prefetch(("one side",), test_background.meet)
    background.prefetch(("other side",), test_background.meet)
    first = background.compute(("one side",), test_background.meet, "One side")
    # The other is not asked for before.
    if first is not None:
        show.write(f"{first} and {background.compute(('other side',), test_background.meet, 'Other side')}")
    background.end()


@pytest.fixture(autouse=True)
def close_gate() -> Iterator[None]:
    GATE.clear()
    RUNS.clear()
    yield
    GATE.set()
    for pool in (background._POOL, OTHERS):
        pool.stop()
        pool._by_key.clear()


OTHERS = jobs.JobPool("others", workers=4)
"""Pool of another module than the page: training, say, or a run over a set."""


def draw_followers() -> None:
    import streamlit as st

    from pages.ui.frame.session import session_id
    from pages.ui.widgets import background, show
    from tests.pages.ui.widgets import test_background

    show.write_style()
    background.begin()
    for name in st.multiselect("wanted", ["a", "b"], ["a", "b"], key="wanted"):
        result = background.follow(
            ("follow", name),
            lambda name=name: test_background.OTHERS.start(
                f"key of {name}", test_background.wait_for_gate, session_id=session_id()
            ),
            f"Doing {name}",
        )
        show.write(f"{name}: {result}")
    background.end()


def open_page() -> AppTest:
    return check_page(AppTest.from_function(draw_page, default_timeout=30).run())


def find_job(at: AppTest) -> Job[str] | None:
    return background._POOL.find(("slow", "a"))


def test_it_shows_progress_and_then_the_result() -> None:
    at = open_page()
    assert is_working(at) and "found None" in read_text(at)
    GATE.set()
    at = run_until(at, lambda at: not is_working(at))
    assert "found it" in read_text(at)
    assert RUNS == ["run"], "polling starts nothing"


def read_progress(at: AppTest) -> list[str]:
    """Return the texts of the progress bars."""
    return [cast(Any, bar).proto.text for bar in at.main.get("progress")]


def test_what_waits_says_its_place_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = jobs.JobPool("one worker", workers=1, quick_workers=0)
    monkeypatch.setattr(background, "_POOL", pool)
    # Of one session the second and third would wait behind another visitor who comes at once.
    others = [pool.start(n, wait_for_gate, cost=1.0, session_id=f"visitor {n}") for n in range(3)]
    at = open_page()
    assert read_progress(at) == ["Doing it … number 3 in the queue"]
    for job in others[1:]:
        job.cancel()
    assert read_progress(at.run()) == ["Doing it … next in the queue"]
    GATE.set()
    run_until(at, lambda at: "found it" in read_text(at))


def test_two_visitors_share_it_and_one_may_stop() -> None:
    first, second = open_page(), open_page()
    assert len(RUNS) == 1
    stop = next(button for button in first.main.button if button.label == "Stop")
    stop.click()
    first.run()
    shared = find_job(second)
    assert shared is not None and not shared.is_stopping
    GATE.set()
    run_until(second, lambda at: "found it" in read_text(at))


def test_the_only_one_stops_it_and_goes_on() -> None:
    at = open_page()
    stopped = find_job(at)
    next(button for button in at.main.button if button.label == "Stop").click()
    at.run()
    assert stopped is not None and stopped.is_stopping
    GATE.set()
    next(button for button in at.main.button if button.label == "Go on").click()
    at = run_until(at.run(), lambda at: "found it" in read_text(at))


def test_what_is_no_longer_asked_for_stops() -> None:
    at = open_page()
    left = find_job(at)
    at.toggle(key="wanted").set_value(False).run()
    assert left is not None and left.is_stopping


def test_a_failure_is_said_and_only_tried_again_on_request() -> None:
    RUNS.append("fail")
    GATE.set()
    at = run_until(open_page(), lambda at: "It must not be" in read_text(at))
    runs = len(RUNS)
    at.run()
    assert len(RUNS) == runs, "looking again does not try again"
    RUNS.remove("fail")
    next(button for button in at.main.button if button.label == "Try again").click()
    run_until(at.run(), lambda at: "found it" in read_text(at))


def test_of_two_that_are_followed_one_stops_alone() -> None:
    at = check_page(AppTest.from_function(draw_followers, default_timeout=30).run())
    first, second = (OTHERS.find(f"key of {name}") for name in "ab")
    assert first is not None and second is not None
    next(button for button in at.main.button if button.label == "Stop").click()
    at.run()
    assert first.is_stopping and not second.is_stopping, "stopped by its button"
    at.multiselect(key="wanted").set_value(["a"]).run()
    assert second.is_stopping, "no longer asked for"


def test_what_is_followed_shows_that_somebody_is_still_there() -> None:
    at = check_page(AppTest.from_function(draw_followers, default_timeout=30).run())
    job = OTHERS.find("key of a")
    assert job is not None
    name = at.session_state["session_id"]
    job.sessions[name] = 0.0
    at.run()
    assert job.sessions[name] > 0


def test_what_is_begun_soon_is_made_side_by_side() -> None:
    app = run_until(AppTest.from_function(draw_both_sides).run(timeout=30), lambda app: not is_working(app))
    check_page(app)
    assert "met and met" in read_text(app)
