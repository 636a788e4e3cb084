"""A map that takes long shows what is known so far; stopping keeps the picture and stores nothing."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from tests.pages.conftest import EXPLAIN, Open
from tests.pages.page_reader import check_page, read_panels, run_until, watch_jobs


@pytest.fixture
def long_map() -> dict[str, str]:
    return {"model": "small_cnn", "sample": "digit_3", "method": "rise", "rise_masks": "20000", "seed": "41"}


def has_picture(at: AppTest) -> bool:
    return bool(read_panels(at) and read_panels(at)[0]["map"])


def test_the_picture_grows_on_a_scale_that_never_shrinks(open_app: Open, long_map: dict[str, str]) -> None:
    at = run_until(open_app(EXPLAIN, **long_map), lambda at: bool(read_panels(at)))
    scales, words = [], []
    while read_panels(at)[0]["state"] in ("waiting", "working") and len(set(words)) < 3:
        at.run()
        (panel,) = read_panels(at)
        if panel["map"] and panel["state"] == "working":
            scales.append(panel["map"]["scale"])
            words.append(panel["message"])
            assert panel["verdict"] is None and panel["saved"] is None, "nothing has checked it"
            assert len(panel["map"]["values"]) < 20_000
    assert words and all(text.startswith("Still getting clearer, ") and text.endswith(" %") for text in words)
    assert scales == sorted(scales) and scales[0] > 0
    assert "only grows" in panel["map"]["caption_own"] or panel["state"] == "done"
    run_until(at, lambda at: read_panels(at)[0]["state"] == "done")
    (panel,) = read_panels(at)
    assert panel["saved"] and panel["verdict"] and panel["message"] == ""
    assert not at.session_state["growing"], "the finished map has taken its place"


def test_stopping_keeps_the_last_picture_and_stores_nothing(open_app: Open, long_map: dict[str, str]) -> None:
    at = run_until(open_app(EXPLAIN, **long_map | {"seed": "42"}), has_picture)
    (job,) = watch_jobs(at)
    at.button(key="stop_rise").click()
    check_page(at.run())
    (panel,) = read_panels(at)
    assert panel["state"] == "cancelled" and job.is_stopping
    assert panel["message"].startswith("Stopped at ") and "unfinished" in panel["message"]
    assert panel["map"] and panel["saved"] is None and panel["verdict"] is None
    check_page(at.run())
    assert read_panels(at)[0]["map"] == panel["map"]
    with pytest.raises(xai_core.Cancelled):
        job.wait(20)
    assert job.preview is None and xai_core.find(str(job.key)) is None
    next(button for button in at.button if button.label.startswith("Resume")).click()
    check_page(at.run())
    assert read_panels(at)[0]["state"] in ("waiting", "working", "done")
    assert not read_panels(at)[0]["message"].startswith("Stopped")


def test_quick_maps_and_pages_without_a_visitor_make_no_preview() -> None:
    model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    planned = xai_core.plan(model, image, "rise", params={"masks": 3000}, seed=43)
    job = xai_core.start(planned)
    shown: list[object] = []
    job.show_preview = shown.append  # type: ignore[method-assign]
    assert job.wait(60).values.shape == (28, 28)
    assert not shown, "nobody polled"
