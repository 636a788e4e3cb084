"""Scores of concepts: a known direction is found, chance does not pass, and Captum says the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.inside.weights import hash_weights
from tests.toy_networks import Conv, seed_weights
from tests.zoo_networks import make_classifier, make_picture
from xai_core import Cancelled, InvalidParam, Job, UnknownName, inside, load_model
from xai_core.inside.concepts.nulls import draw_derivatives, find_p, limit_count
from xai_core.inside.concepts.readings import choose_layer, read_activations, read_gradients

SIDE = 8


class Averages(nn.Module):
    """Three maps that are the picture's colours; logits are weighted sums of their averages."""

    def __init__(self) -> None:
        super().__init__()
        self.maps, self.head = nn.Conv2d(3, 3, 1, bias=False), nn.Linear(3, 3)
        with torch.no_grad():
            self.maps.weight.copy_(torch.eye(3)[:, :, None, None])
            self.head.weight.copy_(torch.eye(3))
            self.head.bias.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.maps(x).mean((2, 3)))


def draw(rng: np.random.Generator, count: int, light: float = 0.0, channel: int = 0) -> list[Image.Image]:
    """Noise whose colour varies from picture to picture; `light` is added to a channel."""
    pictures = []
    for _ in range(count):
        values = rng.uniform(60, 120, (SIDE, SIDE, 3)) + rng.uniform(-30, 30, 3)
        values[..., channel] += light
        pictures.append(Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)))
    return pictures


@pytest.fixture(scope="module")
def model():
    return make_classifier(Averages(), SIDE, classes=3)


def test_known_direction_has_score_one_and_the_smallest_p(model) -> None:
    rng = np.random.default_rng(0)
    before = hash_weights(model.module)
    arguments = {"red": draw(rng, 20, 90)}, draw(rng, 6), draw(rng, 60)
    scores = inside.concept_scores(model, "maps", 0, *arguments)
    red = scores["red"]
    assert (red.score, red.p) == (1.0, 1 / 501) and red.significant and not red.at_chance
    assert red.accuracy > 0.95 and red.auc > 0.99 and red.second_accuracy > 0.95
    # The logit is the mean of red: one step of one standard deviation of it.
    values = read_activations(model, [model.layer("maps")], arguments[0]["red"])["maps"]
    assert red.strength == pytest.approx(values.std(0, ddof=1)[0], rel=0.25)
    assert scores.equal_gradients and scores.layer == "maps" and hash_weights(model.module) == before
    assert inside.concept_scores(model, "maps", (1, 0), *arguments)["red"].score == 0.0
    again = inside.concept_scores(model, "maps", 0, *arguments, seed=0)["red"]
    assert (again.p, again.accuracy, again.second_accuracy) == (red.p, red.accuracy, red.second_accuracy)
    assert np.array_equal(again.derivatives, red.derivatives)


def find_ps(count: int, shift: np.ndarray, seed: int) -> np.ndarray:
    """p-values of concepts whose pictures are random ones moved by `shift`, each against other random pictures."""
    rng, channels, result = np.random.default_rng(seed), len(shift), []
    mixing = rng.normal(size=(channels, channels))
    # Along the first channel only: what is added to the others is orthogonal to it.
    gradients = np.zeros((5, channels))
    gradients[:, 0] = rng.uniform(0.5, 1.5, 5)
    for _ in range(count):
        concept, random = (rng.normal(size=(size, channels)) @ mixing for size in (20, 70))
        null = draw_derivatives(random, gradients, limit_count(20, 70), 200, rng)
        result.append(find_p(concept + shift, random, gradients, null))
    return np.array(result)


def test_p_of_an_orthogonal_direction_is_uniform() -> None:
    shift = np.array([0.0, 40.0, -25.0, 10.0])
    values = np.sort(find_ps(200, shift, 1))
    gap = np.abs(values - (np.arange(200) + 0.5) / 200).max()
    # Kolmogorov and Smirnov: 1.36 / sqrt(200) is exceeded by one uniform sample in twenty.
    assert gap < 1.36 / np.sqrt(200)
    shift[0] = 10.0
    assert find_ps(5, shift, 1).max() == pytest.approx(1 / 201)


def test_random_pictures_pass_as_a_concept_in_one_of_twenty() -> None:
    rejected = (find_ps(1500, np.zeros(4), 2) <= 0.05).mean()
    assert 0.03 <= rejected <= 0.07


def test_random_pictures_are_called_random(model) -> None:
    rng = np.random.default_rng(5)
    concepts = {"one": draw(rng, 15), "two": draw(rng, 15), "red": draw(rng, 15, 60)}
    scores = inside.concept_scores(model, None, "class 0", concepts, draw(rng, 4), draw(rng, 50), seed=3)
    assert [record.significant for record in scores] == [False, False, True]
    assert [record.at_chance for record in scores] == [True, True, False]
    assert scores["one"].adjusted_p >= scores["one"].p
    low, high = scores["red"].random_scores
    # With equal gradients a random direction scores 0 or 1.
    assert (low, high) == (0.0, 1.0)


def test_equal_directions_are_entangled(model) -> None:
    rng = np.random.default_rng(6)
    concepts = {"red": draw(rng, 15, 60), "redder": draw(rng, 15, 90), "green": draw(rng, 15, 90, 1)}
    scores = inside.concept_scores(model, "maps", 0, concepts, draw(rng, 4), draw(rng, 50))
    assert [pair[:2] for pair in scores.close_pairs] == [("red", "redder")] and scores.close_pairs[0][2] > 0.9
    assert np.allclose(np.diag(scores.cosines), 1)


def test_gradient_is_the_rise_when_a_channel_rises_everywhere() -> None:
    toy = make_classifier(seed_weights(Conv()), 16, classes=5)
    pictures, layer = [make_picture(16, seed) for seed in range(5)], toy.layer("second")
    slopes = read_gradients(toy, [toy.layer("first"), layer], 2, pictures)["second"]
    assert slopes.shape == (5, 8) and np.abs(slopes).max() > 0.01
    lift, channel = 1e-3, int(np.abs(slopes).max(0).argmax())
    for number, picture in enumerate(pictures):
        logits = []
        for change in (-lift, lift):
            network = seed_weights(Conv())
            # The bias of a convolution is the same at every place.
            with torch.no_grad():
                network.second.bias[channel] += change
                logits.append(float(network.eval()(toy.prepare(picture))[0, 2]))
        assert slopes[number, channel] == pytest.approx((logits[1] - logits[0]) / (2 * lift), abs=2e-3)


def test_bad_input_is_refused_in_words(model) -> None:
    rng = np.random.default_rng(0)
    good, examples, random = {"red": draw(rng, 12)}, draw(rng, 2), draw(rng, 20)
    for concepts, shown, others, words in (
        ({"red": draw(rng, 9)}, examples, random, "At least 10 pictures.*Got 9 for “red”"),
        (good, examples, random[:9], "Got 9 for “random pictures”"),
        (good, [], random, "At least one picture of the class"),
        ({}, examples, random, "Between 1 and 24 ideas"),
    ):
        with pytest.raises(InvalidParam, match=words):
            inside.concept_scores(model, "maps", 0, concepts, shown, others)
    with pytest.raises(InvalidParam, match="for which class"):
        inside.concept_scores(model, "maps", None, good, examples, random)
    with pytest.raises(InvalidParam, match="no picture-like output"):
        inside.concept_scores(load_model("small_cnn"), "linear1", 3, good, examples, random)
    with pytest.raises(UnknownName, match="layer"):
        inside.concept_scores(model, "nowhere", 0, good, examples, random)
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        inside.concept_scores(model, "maps", 0, good, examples, random, job=job)


def test_job_counts_every_picture(model) -> None:
    rng, job = np.random.default_rng(0), Job()
    inside.concept_scores(model, "maps", 0, {"red": draw(rng, 12)}, draw(rng, 3), draw(rng, 20), job=job)
    assert (job.done, job.total) == (35, 35)


def test_layer_two_thirds_down_is_the_default() -> None:
    digits = load_model("small_cnn")
    assert choose_layer(digits).name == "relu2"
    spread = [layer.name for layer in inside.spread_layers(digits, 3, always=["conv1"])]
    assert spread[0] == "conv1" and spread[-1] == "relu3" and len(spread) == 4


def test_pictures_without_any_difference_are_survived(model) -> None:
    flat = [Image.new("RGB", (SIDE, SIDE), (90, 90, 90))] * 10
    record = inside.concept_scores(model, "maps", 0, {"flat": flat}, flat[:2], flat * 2)["flat"]
    assert record.p == 1.0 and record.strength == 0.0 and not record.significant and record.at_chance
