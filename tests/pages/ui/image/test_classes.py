"""Choice of the class: by chip, by search, by link, and across models."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from pages.ui.image import classes
from tests.pages.page_reader import check_page, explained_class, find_search, list_guesses, run_until

Open = Callable[..., AppTest]
COMPARE, EXPLAIN = "pages/image/compare.py", "pages/image/explain.py"
CUP = 968


def test_the_first_guess_is_asked_about(open_app: Open) -> None:
    at = check_page(open_app(EXPLAIN))
    assert explained_class(at) == "espresso"
    assert len(list_guesses(at)) == 5
    assert list_guesses(at)[0].startswith("espresso · 9")
    assert find_search(at).value is None


def test_by_chip(open_app: Open) -> None:
    at = open_app(EXPLAIN)
    at.pills(key="guess").set_value(CUP)
    assert explained_class(check_page(at.run())) == "cup"
    assert (find_search(at).value, at.query_params) == (CUP, {"class": "cup"})
    at.pills(key="guess").set_value(None)
    assert explained_class(check_page(at.run())) == "espresso"
    assert at.query_params == {}


def test_by_search(open_app: Open) -> None:
    at = open_app(EXPLAIN)
    find_search(at).set_value(285)
    assert explained_class(check_page(at.run())) == "Egyptian cat"
    assert at.pills(key="guess").value is None, "it is not one of the first guesses"
    assert at.query_params == {"class": "Egyptian cat"}
    assert "Egyptian cat under 1 %" in [text.value for text in at.main.caption], "its probability, which no chip says"
    contrast = next(box for box in at.selectbox if box.label.startswith("… and not"))
    assert contrast.options[:5] == [guess.rpartition(" · ")[0] for guess in list_guesses(at)]
    find_search(at).set_value(None)
    assert explained_class(check_page(at.run())) == "espresso"


def test_two_classes_of_one_name_stay_apart() -> None:
    assert classes.number_repeats(["crane", "heron", "crane"]) == ["crane (0)", "heron", "crane (2)"]


def test_it_is_kept_between_pages(open_app: Open) -> None:
    at = open_app(COMPARE)
    at.pills(key="guess").set_value(CUP)
    at.run()
    for page in (EXPLAIN, "pages/start/home.py", COMPARE):
        check_page(at.switch_page(page).run())
        assert at.query_params == {"class": "cup"}
    assert explained_class(at) == "cup"


def test_it_does_not_leak_into_a_model_with_other_classes(open_app: Open) -> None:
    at = open_app(COMPARE, **{"class": "cup"})
    at.selectbox(key="model").set_value("small_cnn")
    check_page(run_until(at.run(), lambda at: len(find_search(at).options) == 10))
    assert explained_class(at) in set("0123456789")
    assert all(chip[0] in "0123456789" for chip in list_guesses(at))
    find_search(at).set_value(7)
    assert explained_class(check_page(at.run())) == "7"
    assert at.query_params == {"model": "small_cnn", "class": "7"}
    at.selectbox(key="model").set_value("efficientnet_lite0")
    assert explained_class(check_page(run_until(at.run(), lambda at: len(find_search(at).options) == 1000))) == "cup", (
        "kept for the labels it was chosen from"
    )


def test_it_is_kept_where_the_classes_are_the_same(open_app: Open) -> None:
    at = open_app(EXPLAIN, **{"class": "cup"})
    at.selectbox(key="model").set_value("efficientnet_lite1")
    check_page(run_until(at.run(), lambda at: at.session_state["model_in_use"] == "efficientnet_lite1"))
    assert explained_class(at) == "cup"
