"""The page of units' concepts, and the concept of one unit on its own page."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.model import probe_choice
from tests.pages.imageset.page_reader import finish_work, list_tiles, press, read_table, read_text
from tests.pages.model.test_inside_pages import read_numbers
from tests.pages.tables.page_reader import read_chart
from xai_core import inside
from xai_core.formatting import score

CONCEPTS, UNIT = "pages/model/concepts.py", "pages/model/unit.py"
DIGIT = {"model": "small_cnn", "sample": "digit_3", "set": "digits", "layer": "conv2"}
Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_choice, "drawn_probe", lambda: inside.draw_probe(80, held_out=40))


def test_the_page_shows_what_was_compared(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    # Pictures of its own, so that no other test has compared them yet.
    monkeypatch.setattr(probe_choice, "drawn_probe", lambda: inside.draw_probe(80, seed=1, held_out=40))
    at = finish_work(open_app(CONCEPTS, **DIGIT))
    assert not at.exception
    assert "Take 80 pictures" in read_text(at) and "8 units (channels) of conv2" in read_text(at)
    assert list_tiles(at, "probe_samples")[0] == 0
    at.toggle(key="concepts_on").set_value(True)
    finish_work(at.run())
    result = inside.find_dissection(xai_core.load_model("small_cnn"), "conv2", probe_choice.drawn_probe())
    assert result is not None
    assert f"Check: when each picture gets the labels of another one, {result.shuffled_detectors} of 8" in read_text(at)
    at.toggle(key="concepts_all_units").set_value(True)
    finish_work(at.run())
    table = read_table(at, "unit_labels")
    best = sorted(result.labels, key=lambda label: -label.iou)
    assert table["Unit"].tolist() == [label.unit for label in best]
    assert table["IoU"].to_numpy() == pytest.approx([label.iou for label in best], abs=1e-3)
    bars = read_chart(at, "concept_bars")["data"][0]
    assert read_numbers(bars["x"]).sum() == len(result.detectors) > 0
    assert len(list_tiles(at, "unit_examples")) == 8
    at.toggle(key="concepts_all_units").set_value(False)
    concept = result.detectors[-1].concept
    assert concept is not None
    at.session_state["concept"] = concept
    finish_work(at.run())
    assert read_table(at, "unit_labels")["Unit"].tolist() == [label.unit for label in result.units_for(concept)]
    assert not at.exception


def test_layers_that_were_compared_stand_side_by_side(open_app: Open) -> None:
    model, probe = xai_core.load_model("small_cnn"), probe_choice.drawn_probe()
    results = [inside.load_dissection(model, layer, probe) for layer in ("conv1", "conv2")]
    at = finish_work(open_app(CONCEPTS, **DIGIT))
    assert not at.exception
    counts = [len({label.concept for label in result.detectors}) for result in results]
    assert read_numbers(read_chart(at, "layer_concepts")["data"][0]["x"]).tolist() == counts
    pairs = [("conv1", label) for label in results[0].detectors] + [("conv2", label) for label in results[1].detectors]
    table = read_table(at, "units_everywhere")
    assert set(zip(table["Layer"], table["Unit"], strict=True)) == {(layer, label.unit) for layer, label in pairs}
    assert table["IoU"].is_monotonic_decreasing
    concept = pairs[-1][1].concept
    at.session_state["concept"] = concept
    finish_work(at.run())
    table = read_table(at, "units_everywhere")
    assert set(zip(table["Layer"], table["Unit"], strict=True)) == {
        (layer, label.unit) for layer, label in pairs if label.concept == concept
    }
    assert f"units that match {concept}, in the" in read_text(at)


def test_own_pictures_are_a_concept_of_their_own(open_app: Open) -> None:
    at = finish_work(open_app(CONCEPTS, concept_pictures="own", **DIGIT))
    files = []
    for number in range(13):
        file = io.BytesIO()
        Image.new("L", (30, 30), 10 * number).save(file, "PNG")
        files.append((f"{number}.png", file.getvalue(), "image/png"))
    uploader = next(element for element in at.get("file_uploader") if element.key == "own_concept_files")
    uploader.set_value(files)
    finish_work(at.run())
    assert "Give the concept a name" in read_text(at)
    at.text_input(key="own_concept").set_value("flat grey")
    finish_work(at.run())
    assert "of 27 concepts is labelled" in read_text(at) and "Take 90 pictures" in read_text(at)
    assert not at.exception


def test_a_unit_page_names_its_concept_and_finds_others(open_app: Open) -> None:
    at = finish_work(open_app(UNIT, unit="channel:conv2:3", **DIGIT))
    if any(toggle.key == "unit_concept_on" for toggle in at.main.toggle):
        at.toggle(key="unit_concept_on").set_value(True)
        finish_work(at.run())
    result = inside.find_dissection(xai_core.load_model("small_cnn"), "conv2", probe_choice.drawn_probe())
    assert result is not None
    label = result.labels[3]
    name = label.concept if label.is_detector else f"no certain concept (most like {label.concept})"
    assert f"Channel 3: {name if label.concept else 'no concept'}" in read_text(at)
    assert f"IoU {score(label.iou)} of at most {score(label.reachable)}" in read_text(at) or label.concept is None
    press(at, "Concepts of all units of this layer")
    assert not at.exception


def test_a_set_without_masks_is_explained(open_app: Open) -> None:
    at = finish_work(open_app(CONCEPTS, concept_pictures="objects", **DIGIT))
    assert "masks for 0 pictures" in read_text(at) and not at.exception
