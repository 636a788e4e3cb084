"""Doubt about an answer: its borders, and what it says of every sample picture and of noise."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import xai_core
from xai_core.results import Prediction
from xai_core.trust import doubt

KNOWN = {"coffee", "chelsea", "camera", "china", "motorcycle", "rocket"}
UNKNOWN = {"astronaut", "coins", "flower", "hubble", "retina", "digit_3", "digit_5", "digit_8"}
"""Things that ImageNet has no class for: a space suit, old coins, a dahlia, galaxies, a retina, digits."""


def prediction(*probabilities: float) -> Prediction:
    return Prediction(tuple((at, f"class {at}", value) for at, value in enumerate(probabilities)))


@pytest.mark.parametrize(
    ("probabilities", "words"),
    [
        ((0.25, 0.25, 0.0, 0.0, 0.0), []),
        ((0.24, 0.2, 0.2, 0.2, 0.1), ["class 0", "24 %"]),
        ((0.3, 0.1, 0.05, 0.02, 0.02), ["its five best guesses", "49 % together"]),
        ((0.95, 0.01, 0.01, 0.01, 0.01), []),
        ((0.5, 0.5), []),
        ((0.2, 0.2, 0.2, 0.2, 0.2), ["20 %"]),
    ],
)
def test_low_or_spread(probabilities, words):
    sentence = doubt(prediction(*probabilities))
    assert bool(sentence) == bool(words) and all(word in sentence for word in words)
    assert ("together" in sentence) == any("together" in word for word in words)


def test_more_guesses_than_five_change_nothing():
    probabilities = (0.3, 0.05, 0.04, 0.04, 0.04, *[0.03] * 15)
    assert "five best guesses get only 47 % together" in doubt(prediction(*probabilities))


@pytest.fixture(scope="module")
def model() -> xai_core.Classifier:
    return xai_core.load_model("efficientnet_lite0")


def test_samples_that_the_model_knows_and_those_that_it_cannot_know(model):
    sentences = {
        name: doubt(xai_core.predict(model, xai_core.SAMPLES.get(name).load())) for name in sorted(KNOWN | UNKNOWN)
    }
    assert {name for name, sentence in sentences.items() if sentence} == UNKNOWN


LARGER = [pytest.param(f"efficientnet_lite{size}", marks=pytest.mark.long) for size in (1, 2)]


@pytest.mark.parametrize("name", ["efficientnet_lite0", *LARGER])
def test_noise_and_empty_pictures(name):
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (240, 240, 3)).astype(np.uint8)
    coarse = Image.fromarray(rng.integers(0, 256, (10, 10, 3)).astype(np.uint8)).resize((240, 240))
    pictures = [Image.fromarray(noise), coarse, Image.new("RGB", (240, 240)), Image.new("RGB", (240, 240), "grey")]
    network = xai_core.load_model(name)
    assert all(doubt(xai_core.predict(network, picture)) for picture in pictures)
    astronaut, coffee = (xai_core.SAMPLES.get(sample).load() for sample in ("astronaut", "coffee"))
    assert doubt(xai_core.predict(network, astronaut)) and not doubt(xai_core.predict(network, coffee))
