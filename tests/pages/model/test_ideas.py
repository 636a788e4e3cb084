"""The page about ideas: it shows what the core computes, says what chance reaches, and refuses in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from streamlit.testing.v1 import AppTest

from tests.pages.imageset.page_reader import finish_work, read_text
from xai_core import imageset, inside, load_model

PAGE, CLASS, UNIT = (f"pages/model/{name}.py" for name in ("concept", "class_page", "unit"))
Open = Callable[..., AppTest]


def test_a_loop_matters_for_an_eight(open_app: Open) -> None:
    at = finish_work(open_app(PAGE, model="small_cnn", sample="digit_8", set="digits", idea_curve="true"))
    text = read_text(at)
    model, dataset = load_model("small_cnn"), imageset.load_set("digits")
    rows = np.flatnonzero(np.asarray(dataset.labels) == 8)
    rows = rows[np.linspace(0, len(rows) - 1, 40).astype(int)].tolist()
    kit, layer = inside.kit_for(model), [inside.choose_layer(model)]
    ideas = {
        name: inside.read_activations(model, layer, kit.pictures(name, 20))["relu2"] for name in ("loop", "upright")
    }
    others = inside.read_activations(model, layer, kit.random(100))["relu2"]
    slopes = inside.read_gradients(model, layer, 8, [dataset.open(row) for row in rows])["relu2"]
    loop = inside.score_directions(ideas, others, slopes)["loop"]
    assert loop.score > 0.9 and f"Matters: raises the score in {round(100 * loop.score)} % of the pictures" in text
    assert "Tested on 40 pictures of the class" in text and "500 directions between 100 random pictures" in text
    assert "Not more than chance" in text and "its direction means nothing here" in text
    assert "in your picture" in text and "More than chance in" in text


def test_a_class_with_too_few_pictures_is_about_your_picture_alone(open_app: Open) -> None:
    text = read_text(finish_work(open_app(PAGE, model="small_cnn", sample="digit_8", set="photo_crops")))
    assert "The figures are about your picture alone" in text and "of the pictures" not in text


def test_the_class_page_says_what_it_cannot_add_up(open_app: Open) -> None:
    text = read_text(
        finish_work(open_app(CLASS, model="small_cnn", sample="digit_8", set="digits", class_parts="true"))
    )
    assert "no channel has an exact share in a class" in text and "parts of its maps have no exact share" in text
    assert "Matters: raises the score" in text


def test_the_unit_page_names_neighbours_and_classes(open_app: Open) -> None:
    at = finish_work(open_app(UNIT, model="small_cnn", sample="digit_8", set="digits", unit="channel:relu2:3"))
    run = imageset.run_model(imageset.load_set("digits"), load_model("small_cnn"), "relu2")
    neighbours = inside.find_neighbours(run.mean, 3)
    labels = [button.label for button in at.main.button if button.label.startswith("Channel ")]
    assert [int(label.split()[1]) for label in labels] == neighbours.channels.tolist()
    assert "when the channel is hidden in the 12 pictures that excite it most" in read_text(at)


def test_labels_of_the_set_can_be_ideas(open_app: Open) -> None:
    at = open_app(PAGE, model="small_cnn", sample="digit_8", set="digits", idea_source="labels")
    text = read_text(finish_work(at))
    assert "500 directions between 100 random pictures" in text and text.count("in your picture") == 10
