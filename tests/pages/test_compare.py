"""Four maps at once: what is shown while they come, what is stopped, and that nothing runs on for nobody."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.page_reader import check_page, finished_results, panel_states, read_panels, run_until, watch_jobs
from xai_core.report import npz_bytes

Open = Callable[..., AppTest]
COMPARE, EXPLAIN = "pages/image/compare.py", "pages/image/explain.py"
FOUR = {"grad_cam", "occlusion", "integrated_gradients", "lime"}
SMALL = {"model": "small_cnn", "sample": "digit_3"}


def is_finished(at: AppTest) -> bool:
    return set(panel_states(at).values()) == {"done"}


def has_label(at: AppTest, text: str) -> bool:
    return any(button.label == text for button in at.button)


def test_all_four_finish(open_app: Open) -> None:
    at = check_page(run_until(open_app(COMPARE, **SMALL), is_finished))
    assert set(panel_states(at)) == FOUR
    assert read_panels(at)[0]["id"] == "grad_cam", "cheapest first"
    assert all(panel["sentence"] and "evaluation" in panel["cost"] for panel in read_panels(at))
    assert not has_label(at, "Stop all")
    assert not has_label(at, "Stop")


def test_raw_values_can_be_saved(open_app: Open) -> None:
    at = run_until(open_app(COMPARE, **SMALL), is_finished)
    button = at.get("download_button")[0]
    assert not button.proto.disabled
    maps = finished_results(at)
    with np.load(io.BytesIO(npz_bytes(maps))) as saved:
        assert {name[2:] for name in saved.files if name != "about"} == FOUR


def test_stopping_all_and_going_on(open_app: Open) -> None:
    at = open_app(COMPARE, seed="77")
    started = watch_jobs(at)
    next(button for button in at.button if button.label == "Stop all").click()
    check_page(at.run())
    assert set(panel_states(at).values()) <= {"cancelled", "done"}
    assert "cancelled" in panel_states(at).values()
    assert all(job.is_stopping or job.is_finished for job in started)
    before = panel_states(at)
    check_page(at.run())
    assert panel_states(at) == before, "a rerun does not start again what was stopped"
    next(button for button in at.button if button.label.startswith("Resume")).click()
    check_page(at.run())
    assert "cancelled" not in panel_states(at).values()
    assert any(not job.is_finished for job in watch_jobs(at))


def test_stopping_one_leaves_the_others(open_app: Open) -> None:
    at = open_app(COMPARE, seed="78")
    at.button(key="stop_lime").click()
    check_page(at.run())
    assert panel_states(at)["lime"] == "cancelled"
    assert not {"cancelled", "failed"} & {state for name, state in panel_states(at).items() if name != "lime"}


def test_one_visitor_stops_and_the_other_still_gets_the_map(open_app: Open) -> None:
    wish = {"method": "lime", "lime_samples": "600", "seed": "5"}
    first, second = open_app(EXPLAIN, **wish), open_app(EXPLAIN, **wish)
    assert watch_jobs(first) == watch_jobs(second), "equal requests share one job"
    first.button(key="stop_lime").click()
    check_page(first.run())
    assert panel_states(first) == {"lime": "cancelled"}
    run_until(second, is_finished)
    check_page(first.run())
    assert panel_states(first) == {"lime": "cancelled"}, "who stopped it is not shown it unasked"
    next(button for button in first.button if button.label.startswith("Resume")).click()
    check_page(run_until(first.run(), is_finished))


@pytest.mark.parametrize("leaving", ["sample", "page", "class"])
def test_what_nobody_wants_any_more_stops(open_app: Open, leaving: str) -> None:
    at = open_app(EXPLAIN, method="lime", lime_samples="10000", seed="6")
    (job,) = watch_jobs(at)
    assert not job.is_stopping
    if leaving == "sample":
        at.selectbox(key="sample").set_value("rocket")
    elif leaving == "class":
        at.pills(key="guess").set_value(968)
    else:
        at.switch_page("pages/start/home.py")
    check_page(at.run())
    assert job.is_stopping
    assert job not in watch_jobs(at) or leaving == "page"


def test_coming_back_to_a_stopped_page_starts_again(open_app: Open) -> None:
    at = open_app(EXPLAIN, method="lime", lime_samples="10000", seed="7")
    (job,) = watch_jobs(at)
    at.switch_page("pages/start/home.py").run()
    check_page(at.switch_page(EXPLAIN).run())
    (again,) = watch_jobs(at)
    assert again is not job
    assert panel_states(at)["lime"] in ("waiting", "working")
