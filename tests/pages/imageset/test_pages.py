"""Map, extremes and scores of a set: what they show is what the numbers say, and one selection is on all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.frame import session
from pages.ui.widgets import show
from tests.pages.imageset.page_reader import (
    DIGITS,
    EXTREMES,
    MAP,
    SCORES,
    component,
    press,
    said,
    select,
    settled,
    table,
    tiles,
)
from tests.pages.page_reader import fine
from xai_core import imageset
from xai_core.imageset import ImageSet, ModelOutputs

pytestmark = pytest.mark.long

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return imageset.load_set("digits")


@pytest.fixture(scope="module")
def run(digits: ImageSet) -> ModelOutputs:
    return imageset.run_model(digits, xai_core.load_model("small_cnn"))


def test_the_map_and_its_selection(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    at = settled(open_app(MAP, map="pca", **DIGITS))
    shown = component(at, "set_map")
    assert shown is not None and shown["axes"] == 2 and shown["mark"] is None
    assert sum(entry["count"] for entry in shown["legend"]["entries"]) == len(digits)
    assert "trustworthiness 0." in said(at)
    rows = np.flatnonzero(digits.labels == 8)[:30].tolist()
    at = select(at, digits.id, rows)
    assert tiles(at) == rows
    assert f"is right for {show.percent(np.mean(run.predictions[rows] == 8))}" in said(at)
    assert table(at, "group_labels")["Pictures"].tolist() == [30]
    at.switch_page(SCORES)
    at = settled(at.run())
    assert tiles(at) == rows, "the selection goes with the visitor"


def test_settings_of_the_map_travel_in_the_link(open_app: Open) -> None:
    at = settled(open_app(MAP, map="pca", map_axes="3", map_of="pixels", points="confidence", **DIGITS))
    shown = component(at, "set_map")
    assert shown is not None and shown["axes"] == 3 and shown["legend"]["low"] == "0 %"
    assert at.query_params == {"map": "pca", "map_axes": "3", "map_of": "pixels", "points": "confidence", **DIGITS}
    at = settled(open_app(MAP, map="pca", map_axes="4", map_of="smell", points="taste", seed="-1", **DIGITS))
    assert at.query_params == {"map": "pca", **DIGITS}


def test_an_own_picture_is_placed_among_the_others(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    at = settled(open_app(MAP, map="pca", **DIGITS))
    image = digits.open(11).convert("RGB")
    at.session_state["own_picture"] = session._pictures().put(image)
    at = settled(at.run())
    shown = component(at, "set_map")
    made = imageset.make_map(run.mean, "pca")
    assert shown is not None and shown["mark"] == pytest.approx(
        made.points[11].tolist(), abs=0.05 * float(np.ptp(made.points))
    )
    assert tiles(at, "near_own")[0] == 11, "the picture itself is the one most like it"
    assert "approximate" in said(at)


def test_the_ends_of_a_class(open_app: Open, run: ModelOutputs) -> None:
    at = settled(open_app(EXTREMES, of="3", **DIGITS))
    chance = run.probabilities()[:, 3]
    assert tiles(at, "class_top") == np.argsort(-chance, kind="stable")[:12].tolist()
    assert tiles(at, "class_bottom") == np.argsort(chance, kind="stable")[:12].tolist()
    at = press(at, "Select these")
    assert tiles(at) == tiles(at, "class_top")


def test_the_class_is_the_commonest_of_the_set_until_somebody_chooses(open_app: Open) -> None:
    """Of another set too: what was shown unasked is no choice."""
    at = settled(open_app(EXTREMES, model="efficientnet_lite0"))
    first = at.main.selectbox[-2]
    assert first.label == "Class" and first.value is None and "of" not in at.query_params
    shown = tiles(at, "class_top")
    at = settled(at.sidebar.selectbox(key="model").set_value("small_cnn").run())
    assert at.main.selectbox[-2].label == "Class" and "of" not in at.query_params and tiles(at, "class_top") != shown


def test_the_ends_of_a_channel_with_the_place_marked(open_app: Open, run: ModelOutputs) -> None:
    at = settled(open_app(EXTREMES, extremes="channel", channel="5", **DIGITS))
    assert tiles(at, "channel_top") == np.argsort(-run.max[:, 5], kind="stable")[:12].tolist()
    shown = component(at, "channel_top")
    assert shown is not None
    rows, columns = run.grid
    for item in shown["items"]:
        left, top, right, bottom = item["box"]
        row, column = divmod(int(run.argmax[item["row"], 5]), columns)
        assert left <= column / columns < right and top <= row / rows < bottom, "the frame holds the strongest place"
    assert any("detects dogs" in each.label for each in at.main.expander)


def test_equal_values_at_the_end_are_counted(open_app: Open, run: ModelOutputs) -> None:
    """Behind a rectifier most channels are 0 for many pictures: which twelve of them are shown means nothing."""
    silent = [int((run.max[:, channel] == 0).sum()) for channel in range(run.max.shape[1])]
    channel = int(np.argmax(silent))
    assert silent[channel] > 24
    at = settled(open_app(EXTREMES, extremes="channel", channel=str(channel), **DIGITS))
    assert f"{silent[channel] - 12:,} more have the value of the last one, 0:" in said(at)
    loud = int(np.argmin(silent))
    if len(np.unique(run.max[:, loud])) == len(run):
        at = settled(open_app(EXTREMES, extremes="channel", channel=str(loud), **DIGITS))
        assert "more have the value" not in said(at)


def test_the_pictures_of_one_neuron(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    at = settled(
        open_app(EXTREMES, extremes="channel", channel="5", neuron="true", neuron_row="1", neuron_column="2", **DIGITS)
    )
    best = imageset.neuron_top(run, 5, (1, 2), 12)
    assert tiles(at, "neuron_top") == best.rows.tolist()
    shown = component(at, "neuron_top")
    assert shown is not None and shown["items"][0]["box"] == pytest.approx([2 / 3, 1 / 3, 1, 2 / 3])
    assert not tiles(at, "neuron_bottom"), "it costs a look at every picture, so it waits to be asked for"


def test_the_pictures_one_neuron_answers_to_least(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    asked = {
        "extremes": "channel",
        "channel": "5",
        "neuron": "true",
        "neuron_row": "1",
        "neuron_column": "2",
        "neuron_least": "true",
    }
    least = imageset.neuron_bottom(run, 5, (1, 2), 12)
    assert least.values.max() < imageset.neuron_top(run, 5, (1, 2), 12).values.min()
    assert tiles(settled(open_app(EXTREMES, **asked, **DIGITS)), "neuron_bottom") == least.rows.tolist()


def test_confident_mistakes(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    at = settled(open_app(EXTREMES, extremes="mistakes", **DIGITS))
    found = tiles(at, "mistakes")
    assert found and all(run.predictions[row] != digits.labels[row] for row in found)
    assert np.all(np.diff(run.confidence[found]) <= 0)


def test_scores_are_those_of_scikit_learn(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    at = settled(open_app(SCORES, **DIGITS))
    assert at.main.metric[0].value == f"{100 * accuracy_score(digits.labels, run.predictions):.1f} %"
    confusion = table(at, "confusion_")
    cells = confusion.set_index(confusion.columns[0])
    assert int(cells.loc["8", "1"]) == int(((digits.labels == 8) & (run.predictions == 1)).sum())
    assert int(cells.to_numpy().sum()) == len(digits)
    at = settled(open_app(SCORES, scores="classes", **DIGITS))
    assert table(at, "class_scores_")["Pictures"].tolist() == np.bincount(digits.labels).tolist()
    at = settled(open_app(SCORES, scores="calibration", **DIGITS))
    assert int(table(at, "bins_")["Pictures"].sum()) == len(digits)


def test_a_change_of_the_pictures_is_set_against_them_as_they_are(open_app: Open, digits: ImageSet) -> None:
    at = settled(open_app(SCORES, change="gaussian_noise", strength="3", **DIGITS))
    network = xai_core.load_model("small_cnn")
    plain, noisy = (imageset.run_model(digits, network, corruption=change) for change in ("", "gaussian_noise:3"))
    right = [float((each.predictions == digits.labels).mean()) for each in (plain, noisy)]
    assert right[0] - right[1] > 0.05 and at.main.metric[0].delta == f"{100 * (right[1] - right[0]):+.1f} points"
    assert at.query_params == {"change": "gaussian_noise", "strength": "3", **DIGITS}
    wrong = np.flatnonzero(noisy.predictions != digits.labels)[:10]
    at = select(at, digits.id, wrong.tolist())
    assert "It is right for 0 %" in said(at) and "after the change: Grain (Gaussian noise), strongly" in said(at)
    at.session_state["looked_at"] = (digits.id, int(wrong[0]))
    at = settled(at.run())
    row = int(wrong[0])
    assert (
        f"(Grain (Gaussian noise), strongly) the model says {noisy.predictions[row]} ({show.percent(noisy.confidence[row])})."
        in said(at)
    )
    assert f"Label: {digits.labels[row]}. The model is right." in said(at), "of the picture as it is"
    at = settled(open_app(SCORES, change="dreams", **DIGITS))
    assert at.query_params == DIGITS


def test_a_group_is_averaged_when_somebody_asks(open_app: Open, digits: ImageSet) -> None:
    at = select(settled(open_app(SCORES, **DIGITS)), digits.id, [0, 10, 20])
    assert "The mean of the maps" not in said(at)
    at = press(at, "Average their maps (Grad-CAM)")
    assert "The mean of the maps of 3 pictures" in said(at)


def test_a_selection_of_another_set_is_not_shown(open_app: Open) -> None:
    at = select(settled(open_app(SCORES, **DIGITS)), "f" * 24, [1, 2, 3])
    assert "Nothing is selected" in said(at)
    at.session_state["looked_at"] = ("f" * 24, 4)
    fine(settled(at.run()))
