"""Pictures at either end: running partial sorts against sorting everything, with ties."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import softmax
from torch import nn

from tests.imageset.counting_set import Pictures
from tests.zoo_networks import make_classifier as build_model, zoo_model
from xai_core.engine.backends import forward as engine
from xai_core.engine.backends.with_features import logits_and_maps
from xai_core.errors import InvalidParam
from xai_core.imageset.analysis.extremes import (
    all_channel_extremes,
    channel_extremes,
    class_extremes,
    confident_mistakes,
    count_ties,
    run_extremes,
)
from xai_core.imageset.analysis.neuron import neuron_bottom, neuron_top
from xai_core.imageset.analysis.region import activated_region, box_around
from xai_core.imageset.analysis.top_k import RunningTop
from xai_core.imageset.runs.inference import run_model
from xai_core.imageset.runs.outputs import ModelOutputs


def random_run(count: int = 300, classes: int = 6, channels: int = 9, seed: int = 0) -> ModelOutputs:
    """A pass of made-up numbers: few different ones, so that many are equal, and some pictures that failed."""
    rng = np.random.default_rng(seed)
    failed = rng.random(count) < 0.1

    def few(columns: int) -> np.ndarray:
        values = np.maximum(rng.integers(-8, 9, (count, columns)), 0).astype(np.float32) / 4
        values[failed] = np.nan
        return values

    where = np.zeros((count, channels), dtype=np.uint16)
    return ModelOutputs(
        "0" * 32, "set", "model", "layer", "", (2, 2), few(classes), few(channels), few(channels), where, failed
    )


def brute(values: np.ndarray, k: int, largest: bool) -> list[int]:
    """Sort (value, row) pairs in plain Python, NaN left out."""
    pairs = [(-value if largest else value, row) for row, value in enumerate(values.tolist()) if value == value]
    return [row for _, row in sorted(pairs)[:k]]


@pytest.mark.parametrize("by", ["maximum", "mean"])
@pytest.mark.parametrize("k", [1, 7, 40])
def test_one_pass_over_all_channels_is_sorting_each(by, k):
    outputs = random_run()
    top, bottom = run_extremes(outputs, k, by)
    values = outputs.max if by == "maximum" else outputs.mean
    assert top.shape == bottom.shape == (9, k) and (~outputs.valid).sum() > 10
    for channel in range(9):
        column = values[:, channel]
        assert len(set(column[outputs.valid])) < 20, "ties are what this is about"
        assert top[channel].tolist() == brute(column, k, True) == channel_extremes(outputs, channel, k, by).top.tolist()
        assert (
            bottom[channel].tolist()
            == brute(column, k, False)
            == channel_extremes(outputs, channel, k, by).bottom.tolist()
        )


@pytest.mark.parametrize("seed", range(6))
def test_pieces_of_any_size_in_any_order_give_the_same(seed):
    rng = np.random.default_rng(seed)
    values = (
        rng.integers(-3, 4, (500, 5)).astype(np.float32) if seed % 2 else rng.normal(size=(500, 5)).astype(np.float32)
    )
    values[rng.random(values.shape) < 0.05] = np.nan
    order = rng.permutation(500)
    cuts = np.sort(rng.integers(0, 500, 9))
    top, bottom = all_channel_extremes([(rows, values[rows]) for rows in np.split(order, cuts)], 11)
    for channel in range(5):
        assert top[channel].tolist() == brute(values[:, channel], 11, True)
        assert bottom[channel].tolist() == brute(values[:, channel], 11, False)


def test_rows_that_each_beat_all_before_them_are_sorted_in_too():
    """Far more of a channel get in at once than of its neighbours."""
    steps = np.arange(3000, dtype=np.float32)
    values = np.stack([steps, -steps, np.zeros_like(steps), steps % 7, np.minimum(steps, 2000)], axis=1)
    top, bottom = all_channel_extremes([(np.arange(3000), values)], 11)
    for channel in range(values.shape[1]):
        for outputs, sign in ((top, -1), (bottom, 1)):
            assert outputs[channel].tolist() == np.argsort(sign * values[:, channel], kind="stable")[:11].tolist()


def test_fewer_rows_than_asked_for_leave_places_open():
    running = RunningTop(2, 4)
    running.add([5, 9], np.array([[1, np.nan], [2, -np.inf]], dtype=np.float32))
    assert running.rows.tolist() == [[9, 5, -1, -1], [9, -1, -1, -1]]
    assert running.values[0, :2].tolist() == [2, 1] and np.isnan(running.values[0, 2:]).all()
    smallest = RunningTop(1, 2, largest=False)
    smallest.add([0, 1, 2], np.array([[3], [-1], [2]], dtype=np.float32))
    assert smallest.rows.tolist() == [[1, 2]] and smallest.values.tolist() == [[-1, 2]]


@pytest.mark.parametrize("by", ["probability", "logit"])
def test_class_extremes_are_those_of_scipys_softmax(by):
    outputs = random_run(seed=2)
    scores = np.asarray(outputs.logits, dtype=np.float64)
    for index in range(6):
        column = (softmax(scores, axis=1) if by == "probability" else scores)[:, index]
        top, bottom = class_extremes(outputs, index, 8, by)
        good = np.flatnonzero(outputs.valid)
        np.testing.assert_allclose(column[top], np.sort(column[good])[::-1][:8], atol=1e-6)
        np.testing.assert_allclose(column[bottom], np.sort(column[good])[:8], atol=1e-6)
        assert len(set(top)) == 8
    assert (
        class_extremes(outputs, 0, 8, "logit").top.tolist() != class_extremes(outputs, 0, 8, "probability").top.tolist()
    )


def test_mistakes_come_surest_first():
    outputs = random_run(seed=3)
    truth = np.random.default_rng(1).integers(-1, 6, len(outputs))
    rows = confident_mistakes(outputs, truth, 20)
    wrong = [
        row
        for row in range(len(outputs))
        if not (~outputs.valid)[row] and truth[row] >= 0 and outputs.predictions[row] != truth[row]
    ]
    assert rows.tolist() == sorted(wrong, key=lambda row: (-outputs.confidence[row], row))[:20]
    assert len(wrong) > 100 and not set(rows) & set(np.flatnonzero(truth < 0))
    assert len(confident_mistakes(outputs, outputs.predictions)) == 0


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda outputs: class_extremes(outputs, 6), "class must be a whole number from 0 to 5"),
        (lambda outputs: class_extremes(outputs, -1), "from 0 to 5"),
        (lambda outputs: channel_extremes(outputs, 9), "channel must be a whole number from 0 to 8"),
        (lambda outputs: channel_extremes(outputs, 0, by="median"), "maximum, mean"),
        (lambda outputs: class_extremes(outputs, 0, by="odds"), "probability, logit"),
        (lambda outputs: class_extremes(outputs, 0, k=0), "1 or more"),
        (lambda outputs: confident_mistakes(outputs, [1, 2]), "one true class for each"),
        (lambda outputs: all_channel_extremes([], 3), "no pictures"),
        (lambda outputs: activated_region(outputs, 300, 0), "picture must be"),
        (lambda outputs: activated_region(outputs, 0, 0, share=0), "above 0"),
    ],
)
def test_what_is_not_there_is_refused_in_words(ask, message):
    with pytest.raises(InvalidParam, match=message):
        ask(random_run())


def test_the_box_holds_what_hangs_together_with_the_maximum():
    values = np.zeros((4, 8), dtype=np.float32)
    values[1:3, 2:5] = 0.6
    values[2, 4] = 1.0
    values[0, 7] = 0.9  # as strong, but elsewhere
    assert box_around(values, 0.5) == (2 / 8, 1 / 4, 5 / 8, 3 / 4)
    assert box_around(values, 0.95) == (4 / 8, 2 / 4, 5 / 8, 3 / 4)
    assert box_around(-values - 1, 0.5) == (0, 0, 1 / 8, 1 / 4), "nowhere positive: only the place of the maximum"


def test_the_region_of_a_channel_is_where_its_colour_is():
    """Channels of the layer are the colours themselves, four pixels a cell."""
    module = nn.Sequential(nn.Conv2d(3, 3, 4, stride=4, bias=False), nn.Flatten(), nn.Linear(3 * 64, 2))
    module[0].weight.data = torch.eye(3)[:, :, None, None].expand(3, 3, 4, 4) / 16
    model, pictures = build_model(module, 32, classes=2), Pictures(2, side=32)
    marked = np.zeros((32, 32, 3), dtype=np.uint8)
    marked[8:16, 20:28, 1] = 200
    marked[0:4, 0:4, 2] = 90
    pictures.open = lambda index: Image.fromarray(marked)
    nothing = np.zeros((2, 3), dtype=np.float32)
    outputs = ModelOutputs(
        "0" * 32, "", "", "0", "", (8, 8), nothing, nothing, nothing, nothing.astype(np.uint16), np.zeros(2, dtype=bool)
    )
    assert activated_region(outputs, 1, 1, 0.5, pictures, model) == (20 / 32, 8 / 32, 28 / 32, 16 / 32)
    assert activated_region(outputs, 1, 2, 0.5, pictures, model) == (0, 0, 4 / 32, 4 / 32)


def test_a_neurons_pictures_are_found_without_trying_all(tmp_path, monkeypatch):
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path))
    model, pictures = zoo_model("small_cnn"), Pictures(150)
    monkeypatch.setattr(engine, "build_openvino_run", engine.build_eager_run)
    outputs = run_model(pictures, model, "conv3")
    x = torch.cat([model.prepare(pictures.open(row)) for row in range(150)])
    maps = logits_and_maps(model.module, model.layer("conv3"), x)[1].numpy()
    tried = []
    for channel, place in ((0, (1, 1)), (2, (0, 2)), (5, (2, 2)), (7, (1, 0))):
        top = neuron_top(outputs, channel, place, 3, pictures, model)
        np.testing.assert_allclose(top.values, np.sort(maps[:, channel, place[0], place[1]])[::-1][:3], atol=1e-4)
        np.testing.assert_allclose(maps[top.rows, channel, place[0], place[1]], top.values, atol=1e-4)
        tried.append(top.tried)
        bottom = neuron_bottom(outputs, channel, place, 3, pictures, model)
        np.testing.assert_allclose(bottom.values, np.sort(maps[:, channel, place[0], place[1]])[:3], atol=1e-4)
        np.testing.assert_allclose(maps[bottom.rows, channel, place[0], place[1]], bottom.values, atol=1e-4)
        assert bottom.tried > 75
    assert np.median(tried) < 75, "half of the pictures, of 9 places and 150 pictures"
    with pytest.raises(InvalidParam, match="column from 0 to 2"):
        neuron_top(outputs, 0, (0, 3), 6, pictures, model)


def test_how_many_more_have_the_value_of_the_last(tmp_path, monkeypatch):
    """Behind the rectifier many neurons are 0."""
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path))
    model, pictures = zoo_model("small_cnn"), Pictures(60)
    monkeypatch.setattr(engine, "build_openvino_run", engine.build_eager_run)
    outputs = run_model(pictures, model, "relu3")
    maps = logits_and_maps(
        model.module, model.layer("relu3"), torch.cat([model.prepare(pictures.open(row)) for row in range(60)])
    )[1].numpy()
    counts = []
    for channel in range(8):
        zeros = int((maps[:, channel, 1, 1] == 0).sum())
        least = neuron_bottom(outputs, channel, (1, 1), 3, pictures, model)
        assert least.ties == max(zeros - 3, 0)
        counts.append(least.ties)
        most = neuron_top(outputs, channel, (1, 1), 60, pictures, model)
        assert len(most.rows) == 60 and most.ties == 0, "all are shown"
        peaks = np.asarray(outputs.max[:, channel])
        rows = channel_extremes(outputs, channel, 5).bottom
        assert (
            count_ties(outputs, peaks, rows)
            == (peaks == peaks[rows[-1]]).sum() - (peaks[rows] == peaks[rows[-1]]).sum()
        )
    assert max(counts) > 5
