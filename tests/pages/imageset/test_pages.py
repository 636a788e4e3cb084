"""Map, extremes and scores of a set: what they show is what the numbers say, and one selection is on all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix
from streamlit.testing.v1 import AppTest

import xai_core
from pages.ui.frame import session
from pages.ui.imageset.selected_pictures import spread_rows
from tests.pages.imageset.page_reader import (
    DIGITS,
    EXTREMES,
    MAP,
    SCORES,
    finish_work,
    list_tiles,
    press,
    read_component,
    read_table,
    read_text,
    select,
)
from tests.pages.page_reader import check_page
from xai_core import imageset
from xai_core.formatting import percent
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
    at = finish_work(open_app(MAP, map="pca", **DIGITS))
    shown = read_component(at, "set_map")
    assert shown is not None and shown["axes"] == 2 and shown["mark"] is None
    assert sum(entry["count"] for entry in shown["legend"]["entries"]) == len(digits)
    assert "trustworthiness 0." in read_text(at)
    rows = np.flatnonzero(digits.labels == 8)[:30].tolist()
    at = select(at, digits.id, rows)
    assert list_tiles(at) == rows
    assert f"is right for {percent(np.mean(run.predictions[rows] == 8))}" in read_text(at)
    assert read_table(at, "group_labels")["Pictures"].tolist() == [30]
    at.switch_page(SCORES)
    at = finish_work(at.run())
    assert list_tiles(at) == rows, "the selection goes with the visitor"


def test_every_page_opens_with_a_stated_start(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    """Nothing is selected yet: the map shows a spread, the scores the commonest confusion, the ends a class."""
    at = finish_work(open_app(MAP, map="pca", **DIGITS))
    rows = list_tiles(at)
    assert len(rows) == 48 and (rows[0], rows[-1]) == (0, len(digits) - 1) and np.ptp(np.diff(rows)) <= 1
    assert "Nothing is selected, so here you see 48 of 1,797 pictures, spread evenly" in read_text(at)
    at.switch_page(SCORES)
    at = finish_work(at.run())
    counts = confusion_matrix(digits.labels, run.predictions)
    np.fill_diagonal(counts, 0)
    a, b = divmod(int(counts.argmax()), len(counts))
    assert list_tiles(at) == np.flatnonzero((digits.labels == a) & (run.predictions == b)).tolist()[:48]
    assert f"mixes up most: {counts.max()} pictures of {a} that it calls {b}" in read_text(at)
    at.switch_page(EXTREMES)
    at = finish_work(at.run())
    (label, count), *_ = Counter(run.predictions.tolist()).most_common()
    assert f"says “{label}” most often here ({count} of 1,797 pictures)" in read_text(at) and not list_tiles(at)


@pytest.mark.parametrize("count", [1, 2, 48])
def test_a_small_set_is_shown_whole(count: int) -> None:
    start = spread_rows(count)
    assert start.rows == tuple(range(count)) and ("only" if count == 1 else f"all {count} pictures") in start.words


def test_settings_of_the_map_travel_in_the_link(open_app: Open) -> None:
    at = finish_work(open_app(MAP, map="pca", map_axes="3", map_of="pixels", points="confidence", **DIGITS))
    shown = read_component(at, "set_map")
    assert shown is not None and shown["axes"] == 3 and shown["legend"]["low"] == "0 %"
    assert at.query_params == {"map": "pca", "map_axes": "3", "map_of": "pixels", "points": "confidence", **DIGITS}
    at = finish_work(open_app(MAP, map="pca", map_axes="4", map_of="smell", points="taste", seed="-1", **DIGITS))
    assert at.query_params == {"map": "pca", **DIGITS}


def test_an_own_picture_is_placed_among_the_others(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    at = finish_work(open_app(MAP, map="pca", **DIGITS))
    image = digits.open(11).convert("RGB")
    session._pictures().put("own", image, size=1)
    at.session_state["own_picture"] = "own"
    at = finish_work(at.run())
    shown = read_component(at, "set_map")
    projection = imageset.make_map(run.mean, "pca")
    assert shown is not None and shown["mark"] == pytest.approx(
        projection.points[11].tolist(), abs=0.05 * float(np.ptp(projection.points))
    )
    assert list_tiles(at, "near_own")[0] == 11, "the picture itself is the one most like it"
    assert "approximate" in read_text(at)


def test_the_ends_of_a_class(open_app: Open, run: ModelOutputs) -> None:
    at = finish_work(open_app(EXTREMES, of="3", **DIGITS))
    chance = run.probabilities()[:, 3]
    assert list_tiles(at, "class_top") == np.argsort(-chance, kind="stable")[:12].tolist()
    assert list_tiles(at, "class_bottom") == np.argsort(chance, kind="stable")[:12].tolist()
    at = press(at, "Select these")
    assert list_tiles(at) == list_tiles(at, "class_top")


def test_the_class_is_the_commonest_of_the_set_until_somebody_chooses(open_app: Open) -> None:
    """Of another set too: what was shown unasked is no choice."""
    at = finish_work(open_app(EXTREMES, model="efficientnet_lite0"))
    first = at.main.selectbox[-2]
    assert first.label == "Class" and first.value is None and "of" not in at.query_params
    shown = list_tiles(at, "class_top")
    at = finish_work(at.sidebar.selectbox(key="model").set_value("small_cnn").run())
    assert (
        at.main.selectbox[-2].label == "Class" and "of" not in at.query_params and list_tiles(at, "class_top") != shown
    )


def test_the_ends_of_a_channel_with_the_place_marked(open_app: Open, run: ModelOutputs) -> None:
    at = finish_work(open_app(EXTREMES, extremes="channel", channel="5", **DIGITS))
    assert list_tiles(at, "channel_top") == np.argsort(-run.max[:, 5], kind="stable")[:12].tolist()
    shown = read_component(at, "channel_top")
    assert shown is not None
    rows, columns = run.grid
    for item in shown["items"]:
        left, top, right, bottom = item["box"]
        row, column = divmod(int(run.argmax[item["row"], 5]), columns)
        assert left <= column / columns < right and top <= row / rows < bottom, "the frame holds the strongest place"
    assert any("detects dogs" in expander.label for expander in at.main.expander)


def test_equal_values_at_the_end_are_counted(open_app: Open, run: ModelOutputs) -> None:
    """Behind a rectifier most channels are 0 for many pictures: which twelve of them are shown means nothing."""
    silent = [int((run.max[:, channel] == 0).sum()) for channel in range(run.max.shape[1])]
    channel = int(np.argmax(silent))
    assert silent[channel] > 24
    at = finish_work(open_app(EXTREMES, extremes="channel", channel=str(channel), **DIGITS))
    assert f"{silent[channel] - 12:,} more have the value of the last one, 0:" in read_text(at)
    loud = int(np.argmin(silent))
    if len(np.unique(run.max[:, loud])) == len(run):
        at = finish_work(open_app(EXTREMES, extremes="channel", channel=str(loud), **DIGITS))
        assert "more have the value" not in read_text(at)


def test_the_pictures_of_one_neuron(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    at = finish_work(
        open_app(EXTREMES, extremes="channel", channel="5", neuron="true", neuron_row="1", neuron_column="2", **DIGITS)
    )
    best = imageset.neuron_top(run, 5, (1, 2), 12)
    assert list_tiles(at, "neuron_top") == best.rows.tolist()
    shown = read_component(at, "neuron_top")
    assert shown is not None and shown["items"][0]["box"] == pytest.approx([2 / 3, 1 / 3, 1, 2 / 3])
    assert not list_tiles(at, "neuron_bottom"), "it costs a look at every picture, so it waits to be asked for"


def test_the_pictures_one_neuron_answers_to_least(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    labels = {
        "extremes": "channel",
        "channel": "5",
        "neuron": "true",
        "neuron_row": "1",
        "neuron_column": "2",
        "neuron_least": "true",
    }
    least = imageset.neuron_bottom(run, 5, (1, 2), 12)
    assert least.values.max() < imageset.neuron_top(run, 5, (1, 2), 12).values.min()
    assert list_tiles(finish_work(open_app(EXTREMES, **labels, **DIGITS)), "neuron_bottom") == least.rows.tolist()


def test_confident_mistakes(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    at = finish_work(open_app(EXTREMES, extremes="mistakes", **DIGITS))
    rows = list_tiles(at, "mistakes")
    assert rows and all(run.predictions[row] != digits.labels[row] for row in rows)
    assert np.all(np.diff(run.confidence[rows]) <= 0)


def test_scores_are_those_of_scikit_learn(open_app: Open, digits: ImageSet, run: ModelOutputs) -> None:
    at = finish_work(open_app(SCORES, **DIGITS))
    assert at.main.metric[0].value == percent(accuracy_score(digits.labels, run.predictions))
    confusion = read_table(at, "confusion_")
    cells = confusion.set_index(confusion.columns[0])
    assert int(cells.loc["8", "1"]) == int(((digits.labels == 8) & (run.predictions == 1)).sum())
    assert int(cells.to_numpy().sum()) == len(digits)
    at = finish_work(open_app(SCORES, scores="classes", **DIGITS))
    assert read_table(at, "class_scores_")["Pictures"].tolist() == np.bincount(digits.labels).tolist()
    at = finish_work(open_app(SCORES, scores="calibration", **DIGITS))
    assert int(read_table(at, "bins_")["Pictures"].sum()) == len(digits)


def test_a_change_of_the_pictures_is_set_against_them_as_they_are(open_app: Open, digits: ImageSet) -> None:
    at = finish_work(open_app(SCORES, change="gaussian_noise", strength="3", **DIGITS))
    network = xai_core.load_model("small_cnn")
    plain, noisy = (imageset.run_model(digits, network, corruption=change) for change in ("", "gaussian_noise:3"))
    right = [float((outputs.predictions == digits.labels).mean()) for outputs in (plain, noisy)]
    assert right[0] - right[1] > 0.05 and at.main.metric[0].delta == f"{100 * (right[1] - right[0]):+.1f} points"
    assert at.query_params == {"change": "gaussian_noise", "strength": "3", **DIGITS}
    wrong = np.flatnonzero(noisy.predictions != digits.labels)[:10]
    at = select(at, digits.id, wrong.tolist())
    assert "It is right for 0 %" in read_text(at) and "after the change: Grain (Gaussian noise), strongly" in read_text(
        at
    )
    at.session_state["looked_at"] = (digits.id, int(wrong[0]))
    at = finish_work(at.run())
    row = int(wrong[0])
    answer = f"the model says {noisy.predictions[row]} ({percent(noisy.confidence[row])})."
    assert f"(Grain (Gaussian noise), strongly) {answer}" in read_text(at)
    assert f"Label: {digits.labels[row]}. The model is right." in read_text(at), "of the picture as it is"
    at = finish_work(open_app(SCORES, change="dreams", **DIGITS))
    assert at.query_params == DIGITS


def test_a_group_is_averaged_when_somebody_asks(open_app: Open, digits: ImageSet) -> None:
    at = select(finish_work(open_app(SCORES, **DIGITS)), digits.id, [0, 10, 20])
    assert "The mean of the maps" not in read_text(at)
    at = press(at, "Average their maps (Grad-CAM)")
    assert "The mean of the maps of 3 pictures" in read_text(at)


def test_a_selection_of_another_set_is_not_shown(open_app: Open) -> None:
    at = select(finish_work(open_app(SCORES, **DIGITS)), "f" * 24, [1, 2, 3])
    assert "Nothing is selected" in read_text(at)
    at.session_state["looked_at"] = ("f" * 24, 4)
    check_page(finish_work(at.run()))
