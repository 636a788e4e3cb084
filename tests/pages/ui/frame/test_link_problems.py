"""Links to what does not exist: each page says what was not found, and what it shows instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.frame.link_problems import LinkProblem, PartlyUnknown
from tests.pages.page_reader import check_page
from tests.pages.tables.page_reader import read_text
from xai_core import InvalidParam, UnknownName

Open = Callable[..., AppTest]
SMALL = {"model": "small_cnn"}
EXPLAIN, COMPARE, STATUS = "pages/image/explain.py", "pages/image/compare.py", "pages/learn/status.py"


@pytest.fixture(scope="module", autouse=True)
def digit_network() -> None:
    """Load the network of digits, so that no page has to wait for it."""
    xai_core.warm("small_cnn")


def read_problems(at: AppTest) -> str:
    """Return what the page says of its link."""
    return " ".join(text for text in read_text(check_page(at)).splitlines() if "cannot be followed" in text)


@pytest.mark.parametrize(
    ("page", "link", "parts"),
    [
        (
            STATUS,
            {"model": "vgg99", "sample": "dodo"},
            (
                "There is no model called “vgg99”. Shown instead: EfficientNet-Lite0.",
                "There is no sample picture called “dodo”. Shown instead: Coffee.",
            ),
        ),
        (
            EXPLAIN,
            SMALL | {"method": "oracle", "layer": "conv99", "class": "eleven"},
            (
                "There is no class called “eleven”. Shown instead: the model’s first guess.",
                "There is no method called “oracle”. Shown instead: Grad-CAM · region map.",
                "There is no layer called “conv99”. Shown instead: late · 3 × 3 places, recommended · ",
            ),
        ),
        (
            EXPLAIN,
            SMALL | {"method": "lime", "lime_samples": "many"},
            ("must be a whole number from 10 to 10000. Got “many”. Shown instead: Samples 500.",),
        ),
        (
            COMPARE,
            SMALL | {"methods": "saliency,oracle"},
            ("There is no method called “oracle”. Shown instead: Saliency (gradient) · sensitive pixels.",),
        ),
        (
            "pages/tables/data.py",
            {"table": "moon"},
            ("There is no table called “moon”. Shown instead: Loan decisions",),
        ),
    ],
    ids=["model and picture", "method, layer and class", "setting", "one of two", "table"],
)
def test_an_unknown_name_of_a_link_is_said_with_what_is_shown_instead(
    open_app: Open, page: str, link: dict[str, str], parts: tuple[str, ...]
) -> None:
    text = read_problems(open_app(page, **link))
    assert text.count("Shown instead: ") == len(parts)
    for part in parts:
        assert part in text


def test_the_sentence_goes_when_something_is_chosen_and_with_the_page(open_app: Open) -> None:
    at = open_app(EXPLAIN, **SMALL, method="oracle", sample="dodo")
    for moment in (at, at.run()):
        assert all(name in read_problems(moment) for name in ("oracle", "dodo")), "they stay while nothing is chosen"
    at.selectbox(key="method").set_value("saliency").run()
    assert "oracle" not in read_problems(at)
    assert "dodo" in read_problems(at)
    at.switch_page(STATUS).run()
    assert read_problems(at) == ""


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (UnknownName.of("pet", "cow", ["cat"]), "There is no pet called “cow”."),
        (PartlyUnknown(UnknownName.of("pet", "cow", ["cat"]), ["cat"]), "There is no pet called “cow”."),
        (InvalidParam("Age must be a number."), "Age must be a number."),
    ],
)
def test_a_sentence_has_the_reason_without_names_in_code(
    reason: UnknownName | PartlyUnknown | InvalidParam, sentence: str
) -> None:
    problem = LinkProblem(reason, "pet", "cat", "the cat")
    assert problem.describe() == f"{sentence} Shown instead: the cat."
    assert problem.holds("pet", "cat")
    assert not problem.holds("pet", "dog")
