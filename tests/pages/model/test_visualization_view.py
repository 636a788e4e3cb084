"""The pictures made for a unit, on its page: on request, both signs, checked against photographs, with a quiz."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.imageset.page_reader import finish_work, press, read_text
from xai_core.inside.visualization import PARAMETRIZATIONS

UNIT = "pages/model/unit.py"
DIGIT = {"model": "small_cnn", "sample": "digit_3", "set": "digits"}
Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for spec in PARAMETRIZATIONS.specs():
        monkeypatch.setitem(PARAMETRIZATIONS._specs, spec.name, spec.__class__(**{**vars(spec), "steps": 3}))


def list_titles(at: AppTest) -> list[str]:
    return [element.value for element in at.main.markdown]


def test_pictures_are_made_on_request_and_checked(open_app: Open) -> None:
    at = finish_work(open_app(UNIT, unit="class:3", **DIGIT))
    assert "**Answers most**" not in list_titles(at)
    press(at, "Make the pictures")
    finish_work(at)
    text = read_text(at)
    assert {"**Answers most**", "**Answers least: the opposite**"} <= set(list_titles(at))
    assert "the network treats this picture" in text
    assert "Seed 0, 3 steps, 28 × 28 pixels" in text
    assert not at.exception
    second_visitor = finish_work(open_app(UNIT, unit="class:3", **DIGIT))
    assert "**Answers most**" in list_titles(second_visitor)
    assert all(button.label != "Make the pictures" for button in second_visitor.button)


def test_the_quiz_counts_right_answers(open_app: Open) -> None:
    at = finish_work(open_app(UNIT, unit="channel:conv2:3", **DIGIT))
    for _ in range(6):
        press(at, "Left")
    text = read_text(at)
    assert " of 6 right; guessing gets half." in text
    press(at, "Other pictures")
    assert "guessing gets half" not in read_text(at)
