"""Four maps at once: what is shown while they come, what is stopped, and that nothing runs on for nobody."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.page_reader import fine, jobs, panels, results, states, until
from xai_core.report import npz_bytes

Open = Callable[..., AppTest]
COMPARE, EXPLAIN = "pages/image/compare.py", "pages/image/explain.py"
FOUR = {"grad_cam", "occlusion", "integrated_gradients", "lime"}
SMALL = {"model": "small_cnn", "sample": "digit_3"}


def finished(at: AppTest) -> bool:
    return set(states(at).values()) == {"done"}


def label(at: AppTest, text: str) -> bool:
    return any(button.label == text for button in at.button)


def test_all_four_finish(open_app: Open) -> None:
    at = fine(until(open_app(COMPARE, **SMALL), finished))
    assert set(states(at)) == FOUR
    assert panels(at)[0]["id"] == "grad_cam", "cheapest first"
    assert all(panel["sentence"] and "evaluation" in panel["cost"] for panel in panels(at))
    assert not label(at, "Stop all")
    assert not label(at, "Stop")


def test_raw_values_can_be_saved(open_app: Open) -> None:
    at = until(open_app(COMPARE, **SMALL), finished)
    button = at.get("download_button")[0]
    assert not button.proto.disabled
    maps = results(at)
    with np.load(io.BytesIO(npz_bytes(maps))) as saved:
        assert {name[2:] for name in saved.files if name != "about"} == FOUR


def test_stopping_all_and_going_on(open_app: Open) -> None:
    at = open_app(COMPARE, seed="77")
    started = jobs(at)
    next(button for button in at.button if button.label == "Stop all").click()
    fine(at.run())
    assert set(states(at).values()) <= {"cancelled", "done"}
    assert "cancelled" in states(at).values()
    assert all(job.is_stopping or job.is_finished for job in started)
    before = states(at)
    fine(at.run())
    assert states(at) == before, "a rerun does not start again what was stopped"
    next(button for button in at.button if button.label.startswith("Go on")).click()
    fine(at.run())
    assert "cancelled" not in states(at).values()
    assert any(not job.is_finished for job in jobs(at))


def test_stopping_one_leaves_the_others(open_app: Open) -> None:
    at = open_app(COMPARE, seed="78")
    at.button(key="stop_lime").click()
    fine(at.run())
    assert states(at)["lime"] == "cancelled"
    assert not {"cancelled", "failed"} & {state for name, state in states(at).items() if name != "lime"}


def test_one_visitor_stops_and_the_other_still_gets_the_map(open_app: Open) -> None:
    wish = {"method": "lime", "lime_samples": "600", "seed": "5"}
    first, second = open_app(EXPLAIN, **wish), open_app(EXPLAIN, **wish)
    assert jobs(first) == jobs(second), "equal requests share one job"
    first.button(key="stop_lime").click()
    fine(first.run())
    assert states(first) == {"lime": "cancelled"}
    until(second, finished)
    fine(first.run())
    assert states(first) == {"lime": "cancelled"}, "who stopped it is not shown it unasked"
    next(button for button in first.button if button.label.startswith("Go on")).click()
    fine(until(first.run(), finished))


@pytest.mark.parametrize("leaving", ["sample", "page", "class"])
def test_what_nobody_wants_any_more_stops(open_app: Open, leaving: str) -> None:
    at = open_app(EXPLAIN, method="lime", lime_samples="10000", seed="6")
    (job,) = jobs(at)
    assert not job.is_stopping
    if leaving == "sample":
        at.selectbox(key="sample").set_value("rocket")
    elif leaving == "class":
        at.pills(key="guess").set_value(968)
    else:
        at.switch_page("pages/start/home.py")
    fine(at.run())
    assert job.is_stopping
    assert job not in jobs(at) or leaving == "page"


def test_coming_back_to_a_stopped_page_starts_again(open_app: Open) -> None:
    at = open_app(EXPLAIN, method="lime", lime_samples="10000", seed="7")
    (job,) = jobs(at)
    at.switch_page("pages/start/home.py").run()
    fine(at.switch_page(EXPLAIN).run())
    (again,) = jobs(at)
    assert again is not job
    assert states(at)["lime"] in ("waiting", "working")
