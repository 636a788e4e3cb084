"""The page "Train it live": a training with words on it, two runs side by side, and the fresh network of every page."""

from __future__ import annotations

import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.frame import session
from pages.ui.learn import digit_canvas
from tests.pages.conftest import Open
from tests.pages.page_reader import check_page, run_until
from tests.pages.tables.page_reader import read_text
from xai_core import what_if

PAGE = "pages/learn/train.py"


def train(at: AppTest, count: int) -> None:
    """Press the button and wait for a number of runs."""
    next(button for button in at.button if button.label == "Train it").click().run()
    run_until(at, lambda at: "live_runs" in at.session_state and len(at.session_state["live_runs"]) == count)
    check_page(at.run())


def test_two_runs_stand_side_by_side_and_the_last_is_in_use(open_app: Open) -> None:
    at = check_page(open_app(PAGE, live_epochs="2", seed="4"))
    train(at, 1)
    assert "test pictures right" in read_text(at) and "An earlier run beside it" not in read_text(at)
    at.button(key="preset_explosion").click().run()
    assert at.query_params["live_rate"] == "10"
    train(at, 2)
    words = read_text(at)
    assert "The learning rate is too high: " in words and not re.search(r"\bnan\b", words, re.IGNORECASE)
    assert at.selectbox(key="live_beside").options
    name = at.session_state["live_runs"][-1]
    assert at.session_state["model"] == name and xai_core.MODELS.is_own(name)


def test_what_the_field_sends_becomes_the_picture_or_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.setattr(session, "use_picture", lambda picture, title: taken.append(title))
    strokes = np.zeros((digit_canvas.SIDE,) * 2, dtype=bool)
    strokes[20:90, 50:60] = True
    empty, drawn = [digit_canvas.SIDE**2], what_if.runs_of(strokes)
    for runs, count in ((empty, 0), ("no runs", 0), ([1, 2], 0), (drawn, 1)):
        monkeypatch.setattr(digit_canvas, "read_message", lambda runs=runs: {"runs": runs})
        digit_canvas.take_strokes()
        assert len(taken) == count
