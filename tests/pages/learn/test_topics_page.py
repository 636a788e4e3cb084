"""The page of topics: a link, a list, a glossary and steps open the same card, whose button opens its page."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import EXPLAIN
from tests.pages.page_reader import run_until
from xai_core.teaching import topics

Open = Callable[..., AppTest]
PAGE = "pages/learn/topics.py"


def read_title(at: AppTest) -> str:
    return at.subheader[0].value


def test_all_ways_to_a_card(open_app: Open) -> None:
    at = open_app(PAGE, topic="saturation")
    assert not at.exception and read_title(at) == "Saturation"
    at.button(key="topic_surrogate").click().run()
    assert read_title(at) == "Surrogate" and at.query_params["topic"] in ("surrogate", ["surrogate"])
    at.button(key="term_t-SNE").click().run()
    assert read_title(at) == "Maps of many pictures"
    names = list(topics())
    at.selectbox(key="topic").select(names[0]).run()
    (previous, following) = (next(b for b in at.button if b.label == f"{way} topic") for way in ("Previous", "Next"))
    assert previous.disabled
    following.click().run()
    assert read_title(at) == topics()[names[1]].title


def test_the_button_opens_the_page_with_the_settings(open_app: Open) -> None:
    at = open_app(PAGE, model="small_cnn", sample="digit_3", topic="surrogate")
    next(b for b in at.button if b.label == topics()["surrogate"].action).click().run()
    assert not at.exception
    assert at.title[0].value == "One method, every setting"
    run_until(at, lambda at: "method" in at.query_params)
    assert {"model": "small_cnn", "sample": "digit_3", "method": "lime"}.items() <= dict(at.query_params).items()


def test_a_word_of_a_page_opens_its_topic(open_app: Open) -> None:
    at = open_app(EXPLAIN, model="small_cnn", sample="digit_3", method="saliency")
    at = run_until(at, lambda at: any(button.key == "word_surrogate" for button in at.button))
    at.button(key="word_surrogate").click().run()
    assert not at.exception and read_title(at) == "Surrogate"
    assert {"model": "small_cnn", "method": "saliency", "topic": "surrogate"}.items() <= dict(at.query_params).items()
