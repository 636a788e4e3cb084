"""The pages about the inside of a model: they show what the core computes, and lead to each other."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.model.network import stages_view
from tests.pages.imageset.page_reader import finish_work, list_tiles, press, read_component, read_table, read_text
from tests.pages.tables.page_reader import read_chart
from xai_core import imageset, inside
from xai_core.formatting import number

NETWORK, LAYER, ANSWER, UNIT = (f"pages/model/{name}.py" for name in ("network", "layer", "answer", "unit"))
DIGIT = {"model": "small_cnn", "sample": "digit_3", "set": "digits"}
Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def model() -> xai_core.Classifier:
    return xai_core.load_model("small_cnn")


@pytest.fixture(scope="module")
def digit() -> Any:
    return xai_core.SAMPLES.get("digit_3").load()


def list_labels(at: AppTest) -> list[str]:
    return [button.label for button in at.main.button]


def test_the_network_page(open_app: Open, model: xai_core.Classifier) -> None:
    at = finish_work(open_app(NETWORK, **DIGIT))
    shown = read_component(at, "network_map")
    assert shown is not None
    assert [(block["rows"], block["channels"]) for block in shown["blocks"]][:5] == [
        *((26, 4), (26, 4), (13, 4)),
        *((11, 8), (11, 8)),
    ]
    assert [block["rows"] for block in shown["blocks"]][-1] == 0, "a number has no place in the picture"
    assert "shrink from 26 to 3 places a side and grow from 4 to 8" in read_text(at)
    table = read_table(at, "network_table")
    assert table["Parameters"].sum() == sum(p.numel() for p in model.module.parameters())
    strongest = inside.activations(model, xai_core.SAMPLES.get("digit_3").load(), "conv1").strength.argsort()[::-1]
    assert list_tiles(at, "stage_0") == strongest[:3].tolist()
    assert [element.value for element in at.main.markdown if element.value.startswith("**")] == [
        f"**{title}**" for title, _ in stages_view.STAGES
    ]


def test_the_layer_page_sorts_and_tests_by_hiding(open_app: Open, model: xai_core.Classifier, digit: Any) -> None:
    at = finish_work(open_app(LAYER, layer="conv2", **DIGIT))
    maps = inside.activations(model, digit, "conv2")
    assert list_tiles(at, "feature_maps") == np.argsort(-maps.strength, kind="stable").tolist()
    effects = inside.channel_effects(model, digit, "conv2", 3)
    at.session_state["maps_order"] = "effect"
    finish_work(at.run())
    order = np.argsort(-effects.values, kind="stable")
    assert list_tiles(at, "feature_maps") == order.tolist()
    at.toggle(key="hide_test").set_value(True)
    finish_work(at.run())
    table = read_table(at, "hiding_table").set_index("Channel")
    hidden = inside.hide_channels(model, digit, effects, range(8))
    assert table["Measured by hiding"].loc[list(range(8))].to_numpy() == pytest.approx(hidden.measured, abs=1e-3)
    assert list_tiles(at, "first_filters") == [0, 1, 2, 3]
    assert "too small for the test to prove much" in read_text(at), "nine grey pixels prove nothing"
    counts = read_numbers(read_chart(at, "channel_histogram")["data"][0]["y"]).sum()
    assert counts == 11 * 11


def test_a_click_on_a_map_leads_to_its_unit(open_app: Open) -> None:
    at = finish_work(open_app(LAYER, layer="conv2", unit="channel:conv2:5", **DIGIT))
    assert at.subheader[0].value == "Channel 5"
    press_and_follow(at, "Open this unit", UNIT)
    assert "Channel 5 of conv2" in read_text(at)
    press_and_follow(at, "All channels of this layer", LAYER)
    assert read_component(at, "feature_maps") is not None


def press_and_follow(at: AppTest, label: str, page: str) -> None:
    """Press a button that leads to a page; AppTest itself would go back at the next run."""
    next(button for button in at.main.button if button.label == label).click()
    at.run()
    at.switch_page(page)
    finish_work(at.run())


def test_the_answer_page_adds_up(open_app: Open, model: xai_core.Classifier, digit: Any) -> None:
    at = finish_work(open_app(ANSWER, **DIGIT))
    logit = float(model.module(model.prepare(digit))[0, 3])
    bars = read_chart(at, "head_sum")["data"][0]
    steps = read_numbers(bars["x"])
    assert steps[-1] == pytest.approx(logit, abs=1e-3)
    assert steps[:-1].sum() == pytest.approx(logit, abs=1e-3)
    assert f"the bars add up to the score, {number(logit)}." in read_text(at)
    assert "not maps of a layer" in read_text(at)
    at.toggle(key="parts_on").set_value(True)
    finish_work(at.run())
    assert "does not average its last maps" in read_text(at), "said in words"


def read_numbers(values: Any) -> np.ndarray:
    """Return a figure's numbers, which may be packed."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"])
    return np.array(values, dtype=float)


def test_why_a_and_not_b(open_app: Open, model: xai_core.Classifier, digit: Any) -> None:
    at = finish_work(open_app(ANSWER, **DIGIT, **{"class": "3", "not": "8"}))
    logits = model.module(model.prepare(digit))[0]
    assert read_numbers(read_chart(at, "head_sum")["data"][0]["x"])[-1] == pytest.approx(
        float(logits[3] - logits[8]), abs=1e-3
    )
    assert "the difference of the two scores" in read_text(at)


def test_any_unit_opens_by_its_link_with_its_natural_pictures_first(open_app: Open) -> None:
    at = finish_work(open_app(UNIT, unit="channel:conv2:3", **DIGIT))
    run = imageset.run_model(imageset.load_set("digits"), xai_core.load_model("small_cnn"), "conv2")
    extremes = imageset.channel_extremes(run, 3)
    assert list_tiles(at, "channel_top") == extremes.top.tolist()
    assert list_tiles(at, "channel_bottom") == extremes.bottom.tolist()
    shown = read_component(at, "channel_top")
    assert shown is not None and shown["size"] == 160
    press(at, "Next")
    assert at.query_params["unit"] in ("channel:conv2:4", ["channel:conv2:4"])
    assert list_tiles(at, "channel_top") == imageset.channel_extremes(run, 4).top.tolist()
    at.text_input(key="unit_small_cnn").set_value("class:7")
    finish_work(at.run())
    assert list_tiles(at, "class_top") == imageset.class_extremes(run, 7, by="logit").top.tolist()
    assert "one of 10 answers" in read_text(at)


@pytest.mark.parametrize(
    ("unit", "sentence"),
    [
        ("channel:conv2:8", "has channels 0 to 7. Got “8”."),
        ("channel:linear1:0", "has no picture-like output"),
        ("neuron:conv2:0:11:0", "has rows 0 to 10"),
        ("class:ten", "There is no class called “ten”"),
        ("walrus", "A unit is written as"),
    ],
)
def test_a_unit_that_does_not_exist_is_said_in_words(open_app: Open, unit: str, sentence: str) -> None:
    at = finish_work(open_app(UNIT, unit=unit, **DIGIT))
    assert sentence in read_text(at)
    assert "channel_top" not in {cast(Any, element).proto.id for element in at.main.get("bidi_component")}
    press(at, "Back to a unit that exists")
    assert "Channel 0 of relu3" in read_text(at)


def test_a_whole_layer_and_a_set_made_for_the_model_are_offered(open_app: Open) -> None:
    at = finish_work(open_app(UNIT, unit="layer:conv2", model="small_cnn", sample="digit_3"))
    assert "A whole layer has no favourite pictures" in read_text(at)
    offer = next(label for label in list_labels(at) if "made for this model" in label)
    press(at, offer)
    assert at.query_params["set"] in ("digits", ["digits"])
