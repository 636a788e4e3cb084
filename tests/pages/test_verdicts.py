"""Verdicts on the pages about pictures: badges, the sentence on agreement, empty cells and the line of doubt."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.image import agreement
from tests.pages.page_reader import check_page, panel_states, read_panels, run_until

Open = Callable[..., AppTest]
COMPARE, EXPLAIN = "pages/image/compare.py", "pages/image/explain.py"
SMALL = {"model": "small_cnn", "sample": "digit_3"}


def is_finished(at: AppTest) -> bool:
    return set(panel_states(at).values()) == {"done"}


def read_html(at: AppTest) -> str:
    """Return the HTML of the page's own sentences and tables."""
    return "\n".join(cast(Any, element).proto.body for element in at.main.get("html"))


def test_every_card_has_a_verdict_and_the_maps_are_compared_first_in_a_sentence(open_app: Open) -> None:
    at = check_page(run_until(open_app(COMPARE, **SMALL), is_finished))
    for panel in read_panels(at):
        verdict = panel["verdict"]
        assert verdict["state"] in ("fine", "care", "distrust", "unchecked")
        assert verdict["title"] and verdict["summary"].endswith(".")
        assert all(finding["sentence"] for finding in verdict["findings"])
        assert any("other map" in finding["sentence"] or "contradict" in finding["sentence"]
                   for finding in verdict["findings"]), "the maps of this answer are compared"  # fmt: skip
    html = read_html(at)
    sentence = re.search(r"<p style=[^>]*>([^<]*(?:point|compared)[^<]*)</p>", html)
    assert sentence is not None and html.index(sentence[0]) < html.index('<table class="agree">')


def test_a_method_that_failed_its_sanity_check_is_not_shown_as_an_explanation(open_app: Open) -> None:
    at = run_until(open_app(EXPLAIN, method="guided_backprop", **SMALL), is_finished)
    (panel,) = read_panels(at)
    assert panel["verdict"]["state"] == "distrust"
    record = xai_core.METHODS.get("guided_backprop").sanity
    assert any(record in finding["sentence"] for finding in panel["verdict"]["findings"])


def test_only_emptiness_is_not_checked(open_app: Open) -> None:
    (panel,) = read_panels(run_until(open_app(EXPLAIN, method="saliency", **SMALL), is_finished))
    assert panel["verdict"]["state"] == "unchecked" and panel["verdict"]["title"] == "Not checked"


@pytest.mark.parametrize(("sample", "doubted"), [("astronaut", True), ("coffee", False)])
def test_a_line_where_the_model_may_not_know_the_thing(open_app: Open, sample: str, doubted: bool) -> None:
    html = read_html(open_app(EXPLAIN, sample=sample, method="grad_cam"))
    assert ("The model may not know what this is" in html) == doubted


def _draw_agreement() -> None:
    import streamlit as st

    from pages.ui.image import agreement

    agreement.render(st.session_state["titles"], st.session_state["maps"])


def test_an_empty_cell_says_why() -> None:
    model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    cam = xai_core.explain(model, image, "grad_cam")
    at = AppTest.from_function(_draw_agreement)
    at.session_state["titles"] = ["<b>A", "B", "C", "D"]
    at.session_state["maps"] = [
        cam,
        replace(cam, values=np.zeros_like(cam.values)),
        replace(cam, values=cam.values[:20, :20]),
        replace(cam, image_sha256="another"),
    ]
    html = read_html(check_page(at.run()))
    for words in ("empty map", "other size", "other picture", "&lt;b&gt;A"):
        assert words in html
    reasons = [caption.value for caption in at.caption]
    assert len(reasons) == 3 and all(reason.startswith("–: ") for reason in reasons)


def test_the_best_verdicts_come_first() -> None:
    model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    maps = [xai_core.explain(model, image, name) for name in ("guided_backprop", "integrated_gradients", "grad_cam")]
    _, rank = agreement.ORDERS["checks"]
    assert rank is not None and np.argsort(rank([maps[0], maps[2]])).tolist() == [1, 0]
    assert max(rank(maps)) == rank(maps)[0]
