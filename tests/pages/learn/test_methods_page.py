"""The catalogue of methods: complete, filtered, honest about the model in use, one card at a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import get_args

import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from tests.pages.page_reader import check_page, run_until
from xai_core.methods.base.cards import HEADINGS
from xai_core.methods.base.spec import Family, Need

Open = Callable[..., AppTest]
METHODS = "pages/learn/methods.py"


def list_methods(at: AppTest) -> set[str]:
    """The methods in the list."""
    return {str(button.key).removeprefix("open_") for button in at.button if str(button.key).startswith("open_")}


def list_texts(at: AppTest) -> list[str]:
    return [element.value for element in (*at.main.markdown, *at.main.caption)]


def list_headings(at: AppTest) -> list[str]:
    return [heading for text in list_texts(at) for heading in re.findall(r"^#### (.+)$", text, flags=re.MULTILINE)]


def open_title(at: AppTest) -> str:
    return str(at.main.subheader[0].value)


def test_every_method_is_listed_with_its_question_and_one_card_is_open(open_app: Open) -> None:
    at = check_page(open_app(METHODS))
    assert list_methods(at) == set(xai_core.METHODS)
    for spec in xai_core.METHODS.specs():
        assert any(f"*{spec.question}*" in text for text in list_texts(at)), spec.name
    first = [str(button.key) for button in at.button if str(button.key).startswith("open_")][:4]
    assert first == ["open_grad_cam", "open_occlusion", "open_integrated_gradients", "open_lime"]
    assert (open_title(at), list_headings(at)) == ("Grad-CAM · region map", list(HEADINGS))
    assert at.query_params == {}


def test_a_click_and_the_box_and_a_link_open_the_same_card(open_app: Open) -> None:
    at = open_app(METHODS)
    at.button(key="open_lime").click()
    assert (open_title(check_page(at.run())), at.query_params) == ("LIME · patch votes", {"method": "lime"})
    at.selectbox(key="method").set_value("occlusion")
    assert (open_title(check_page(at.run())), at.query_params) == ("Occlusion · cover and see", {"method": "occlusion"})
    linked = check_page(open_app(METHODS, method="occlusion"))
    assert (open_title(linked), list_texts(linked)) == (open_title(at), list_texts(at))
    assert open_title(check_page(open_app(METHODS, method="magic"))) == "Grad-CAM · region map"


def test_every_card_can_be_opened(open_app: Open) -> None:
    at = open_app(METHODS)
    for spec in xai_core.METHODS.specs():
        at.selectbox(key="method").set_value(spec.name)
        assert open_title(check_page(at.run())) == spec.full_title
        assert list_headings(at) == list(HEADINGS)


@pytest.mark.parametrize("family", get_args(Family))
def test_families_are_filtered(open_app: Open, family: str) -> None:
    at = open_app(METHODS)
    at.pills(key="family").set_value(family)
    check_page(at.run())
    assert list_methods(at) == {spec.name for spec in xai_core.METHODS.specs() if spec.family == family}
    assert at.query_params == {"family": family}
    at.pills(key="family").set_value(None)
    assert list_methods(check_page(at.run())) == set(xai_core.METHODS)


@pytest.mark.parametrize("need", get_args(Need))
def test_needs_are_filtered_by_link(open_app: Open, need: str) -> None:
    at = check_page(open_app(METHODS, needs=need))
    assert list_methods(at) == {spec.name for spec in xai_core.METHODS.specs() if need in spec.needs} != set()


def test_filters_that_leave_nothing_say_so_and_nonsense_is_no_filter(open_app: Open) -> None:
    at = check_page(open_app(METHODS, needs="answers", family="gradient"))
    assert list_methods(at) == set()
    assert any("No method fits" in text for text in list_texts(at))
    assert open_title(at) == "Grad-CAM · region map", "the open card stays"
    assert list_methods(check_page(open_app(METHODS, needs="luck", family="magic"))) == set(xai_core.METHODS)


def test_what_cannot_be_right_on_the_model_is_grey_with_the_reason(open_app: Open) -> None:
    model = xai_core.load_model("efficientnet_lite0")
    at = open_app(METHODS)
    reasons = {spec.name: spec.refusal(model) for spec in xai_core.METHODS.specs()}
    refused = [name for name, reason in reasons.items() if reason]
    assert refused and len(refused) < len(reasons)
    for spec in xai_core.METHODS.specs():
        # The open card has its question in bold.
        question = re.compile(rf"(?<!\*)\*{re.escape(spec.question)}\*(?!\*)")
        (row,) = [text for text in list_texts(at) if question.search(text)]
        assert row.startswith(":gray[") == (spec.name in refused)
    for name in refused:
        assert any(
            "Not available for EfficientNet-Lite0" in text and str(reasons[name]) in text for text in list_texts(at)
        )
        at.selectbox(key="method").set_value(name)
        check_page(at.run())
        assert any(f"**On EfficientNet-Lite0:** {reasons[name]}" in text for text in list_texts(at))
        assert next(button for button in at.button if button.label.startswith("Try it")).disabled


def test_costs_and_refusals_are_those_of_the_model_in_use(open_app: Open) -> None:
    at = open_app(METHODS, method="occlusion")
    assert any(
        "**Cost:** about 171 forward passes, with the usual settings on EfficientNet-Lite0" in text
        for text in list_texts(at)
    )
    at.selectbox(key="model").set_value("small_cnn")
    check_page(run_until(at.run(), lambda at: at.session_state["model_in_use"] == "small_cnn"))
    assert not any("EfficientNet-Lite0" in text for text in list_texts(at))


def test_the_sanity_record_is_said_plainly(open_app: Open) -> None:
    at = check_page(open_app(METHODS, method="guided_backprop"))
    (record,) = [text for text in list_texts(at) if xai_core.METHODS.get("guided_backprop").sanity in text]
    assert record.startswith(":red-badge[") and "failed" in record
    at.selectbox(key="method").set_value("occlusion")
    check_page(at.run())
    assert any("Nobody has published this test" in text and "Run it yourself" in text for text in list_texts(at))


def test_trying_a_method_leads_to_its_map(open_app: Open) -> None:
    at = open_app(METHODS, sample="rocket")
    at.button(key="open_saliency").click()
    at.run()
    next(button for button in at.button if button.label.startswith("Try it")).click()
    check_page(at.run())
    assert at.title[0].value != "All methods"
    assert (at.selectbox(key="method").value, at.query_params) == (
        "saliency",
        {"sample": "rocket", "method": "saliency"},
    )
    assert open_title(check_page(at.switch_page(METHODS).run())) == "Saliency (gradient) · sensitive pixels", "and back"


def test_it_is_in_the_menu(open_app: Open) -> None:
    assert "Methods" in [link.proto.label for link in open_app().sidebar.get("page_link")]
