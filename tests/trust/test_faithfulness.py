"""Faithfulness by hiding: on a network whose answer is a sum over places, every curve and gain is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import xai_core
from tests.trust.additive_network import SIDE, make_additive_model
from xai_core import trust
from xai_core.images import image_sha256, make_baseline
from xai_core.results import Attribution
from xai_core.trust.hiding.comparisons import draw_shifts
from xai_core.trust.hiding.fills import make_hider
from xai_core.trust.hiding.pieces import count_hidden, cut_pieces, order_pieces


@pytest.fixture(scope="module")
def model() -> xai_core.Classifier:
    return make_additive_model()


@pytest.fixture(scope="module")
def image() -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))


def make_map(model: xai_core.Classifier, image: Image.Image, values: np.ndarray) -> Attribution:
    """A map (H, W) of class 0, as a method would make it."""
    about = {"layer": None, "label": "class 0", "quantity": "logit", "params": {}, "evaluations": 1, "seconds": 0.0}
    versions = {"weights": model.weights_sha256}
    return Attribution(
        values.astype(np.float32), "occlusion", model.name, target=0, seed=0, image_sha256=image_sha256(image),
        versions=versions, **about,
    )  # fmt: skip


@pytest.fixture(scope="module")
def effects(model: xai_core.Classifier, image: Image.Image) -> np.ndarray:
    """Loss of each pixel when it is blurred, (H, W): the true map for that filling."""
    pixels = model.preprocessing.to_pixels(model.preprocessing.model_input(image))
    change = pixels - make_baseline(pixels, "blur", np.random.default_rng(0))
    return (np.moveaxis(change, -1, 0) * model.module.weight.detach().numpy()).sum(0).astype(np.float64)


def test_the_deletion_curve_of_a_sum_is_known(model, image, effects) -> None:
    test = trust.faithfulness(model, image, make_map(model, image, effects), fills=("blur",), shifts=5)
    losses = np.sort(effects.reshape(14, 2, 14, 2).sum((1, 3)).ravel())[::-1]
    start = float(model.module(model.prepare(image))[0, 0])
    counts = np.round(np.arange(34) * 196 / 33).astype(int)
    expected = start - np.concatenate([[0], np.cumsum(losses)])[counts]
    assert test.deletion.share == pytest.approx(counts / 196)
    assert test.deletion.log_odds["blur"] == pytest.approx(expected, abs=1e-4)
    weakest_first = start - np.concatenate([[0], np.cumsum(losses[::-1])])[counts]
    assert test.insertion.log_odds["blur"] == pytest.approx(weakest_first[::-1], abs=1e-4)
    assert test.insertion.share == pytest.approx(1 - counts[::-1] / 196)
    assert test.evaluations == 1 + 2 * 32 + 1 + 2 * 3 * 7
    assert test.deletion.probability[0] == pytest.approx(1 / (1 + np.exp(-start)))


def test_no_map_gains_more_than_the_true_one(model, image, effects) -> None:
    def gain(values: np.ndarray) -> float:
        return trust.faithfulness(model, image, make_map(model, image, values), fills=("blur",), shifts=1).gain

    best = gain(effects)
    rng = np.random.default_rng(0)
    others = [gain(np.roll(effects, 2, 0)), gain(np.abs(effects)), *(gain(rng.normal(size=(28, 28))) for _ in range(8))]
    assert best > 0.5 and max(others) < best
    assert gain(-effects) == pytest.approx(-best, abs=1e-5), "a flipped sign turns the order around"
    assert gain(effects * 1e-12) == pytest.approx(best, abs=1e-6), "only the order counts"


def test_a_constant_map_gains_nothing_and_a_true_one_beats_its_copies(model, image, effects) -> None:
    flat = trust.faithfulness(model, image, make_map(model, image, np.full((28, 28), 0.1)))
    assert flat.gain == pytest.approx(0, abs=1e-9) and flat.is_flat and np.isnan(flat.beats)
    assert flat.evaluations == 1 + 2 * (2 * 32 + 1), "131 pictures for two fillings"
    assert trust.describe_faithfulness(flat)[0].startswith("This map is the same everywhere")
    assert trust.check_faithfulness(flat).level == "amber"
    test = trust.faithfulness(model, image, make_map(model, image, effects), shifts=100)
    assert test.beats == 1.0 and test.comparison.wins == 100
    assert abs(test.gain) > 0 and trust.check_faithfulness(test).level == "green"
    again = trust.faithfulness(model, image, make_map(model, image, effects), shifts=100)
    assert np.array_equal(again.comparison.shifted, test.comparison.shifted)
    turned = trust.faithfulness(model, image, make_map(model, image, -effects), shifts=20)
    assert turned.beats < 0.1 and trust.check_faithfulness(turned).level == "amber"


def test_a_pair_is_followed_by_the_difference_of_its_scores(model, image, effects) -> None:
    pair = replace(make_map(model, image, effects), target=(0, 1))
    alone = trust.faithfulness(model, image, make_map(model, image, effects), fills=("blur",), shifts=2)
    both = trust.faithfulness(model, image, pair, fills=("blur",), shifts=2)
    assert both.deletion.mean == pytest.approx(alone.deletion.mean, abs=1e-5), "the other score is 0"


def test_maps_of_something_else_are_refused_in_words(model, image, effects) -> None:
    result = make_map(model, image, effects)
    with pytest.raises(xai_core.InvalidParam, match="about another picture"):
        trust.faithfulness(model, image.rotate(90), result)
    with pytest.raises(xai_core.InvalidParam, match="another model"):
        trust.faithfulness(model, image, replace(result, versions={"weights": "others"}))
    with pytest.raises(xai_core.InvalidParam, match="not numbers"):
        trust.faithfulness(model, image, make_map(model, image, np.full((28, 28), np.nan)))
    with pytest.raises(xai_core.UnknownName, match="way to cut"):
        trust.faithfulness(model, image, result, pieces="circles")


def test_it_stops_within_a_batch(model, image, effects) -> None:
    job = xai_core.Job()
    job.cancel()
    with pytest.raises(xai_core.Cancelled):
        trust.faithfulness(model, image, make_map(model, image, effects), job=job)


def test_pieces_of_unlike_size_are_hidden_by_their_area(image) -> None:
    pixels = np.asarray(image, dtype=np.float32) / 255
    labels = cut_pieces(pixels, "superpixels")
    order = order_pieces(np.arange(labels.max() + 1.0), np.arange(labels.max() + 1))
    counts, area = count_hidden(order, labels)
    by_hand = [np.isin(labels, order[:count]).mean() for count in counts]
    assert area == pytest.approx(by_hand)
    sizes = np.bincount(labels.ravel()) / labels.size
    assert np.abs(area - np.arange(34) / 33).max() <= sizes.max() / 2 + 1e-9
    assert counts[0] == 0 and counts[-1] == labels.max() + 1


def test_fillings_leave_what_is_visible_and_copies_are_distinct() -> None:
    pixels = np.random.default_rng(0).random((224, 224, 3)).astype(np.float32)
    hidden = np.zeros((224, 224), dtype=bool)
    hidden[64:128, 32:96] = True
    for kind in trust.FILLS:
        picture = make_hider(pixels, kind)(hidden)
        assert np.array_equal(picture[~hidden], pixels[~hidden])
        assert picture[hidden].std() < pixels[hidden].std() / 3, "noise is gone"
    ramp = np.broadcast_to(np.linspace(0, 1, 224, dtype=np.float32)[None, :, None], (224, 224, 3))
    assert np.abs(make_hider(ramp, "neighbours")(hidden) - ramp).max() < 0.03, "what surrounds goes on"
    assert np.allclose(make_hider(pixels, "neighbours")(np.ones_like(hidden)), pixels.mean((0, 1)), atol=1e-3)
    shifts = draw_shifts((224, 224), 100, np.random.default_rng(0))
    assert len(set(shifts)) == 100 and (0, 0) not in shifts
