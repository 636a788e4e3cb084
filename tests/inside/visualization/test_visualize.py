"""Pictures made for units: closed forms, networks with a known answer, and words for what cannot be done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.datasets import load_digits
from torch import nn

from tests.toy_networks import Conv, toy_model
from tests.zoo_networks import half_size_model, make_classifier, make_picture
from xai_core import Cancelled, InvalidImage, InvalidParam, Job, UnknownName, inside, load_model, predict
from xai_core.inside import Direction
from xai_core.inside.visualization import optimize
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate
from xai_core.models.weights import state_sha256


@pytest.fixture(scope="module")
def digits() -> Classifier:
    return load_model("small_cnn")


def maps_by_hand(model: Classifier, layer: str, picture: Image.Image) -> torch.Tensor:
    outputs = []
    module = isolate(model.module)
    module.get_submodule(layer).register_forward_hook(lambda _m, _i, output: outputs.append(output.clone()))
    with torch.no_grad():
        module(model.prepare(picture))
    return outputs[-1][0]


class OneFilter(nn.Module):
    """Score = sum of picture times filter."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([(x * self.weight).sum((1, 2, 3)), -(x * self.weight).sum((1, 2, 3))], 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_linear_network_with_one_filter_gets_its_filter(sign):
    side = 64
    wave = torch.cos(2 * torch.pi * torch.arange(side) / side).expand(side, side)
    model = make_classifier(OneFilter(wave.expand(1, 1, side, side).clone()), side, channels=1, classes=2)
    result = inside.visualize(model, "class:0", "pixel", sign=sign, steps=24)
    picture = np.asarray(result.picture, np.float64) / 255 - 0.5
    cosine = (picture * wave.numpy()).sum() / np.linalg.norm(picture) / np.linalg.norm(wave.numpy())
    assert sign * cosine >= 0.99


def test_a_weighted_sum_is_the_sum_by_hand(digits):
    picture = make_picture(28)
    unit = {"channel:conv2:1": 2, "channel:conv3:3": -1, "class:7": 0.5}
    first, second = (maps_by_hand(digits, name, picture) for name in ("conv2", "conv3"))
    with torch.no_grad():
        logit = digits.module(digits.prepare(picture))[0, 7]
    expected = 2 * first[1].mean() - second[3].mean() + 0.5 * logit
    assert inside.unit_values(digits, unit, [picture])[0] == pytest.approx(float(expected), rel=1e-4)
    assert unit == {"channel:conv2:1": 2, "channel:conv3:3": -1, "class:7": 0.5}


def test_every_objective_is_its_formula(digits):
    picture = make_picture(28)
    maps, rectified = (maps_by_hand(digits, name, picture) for name in ("conv2", "relu2"))
    assert (maps < 0).any()
    with torch.no_grad():
        logits = digits.module(digits.prepare(picture))[0]
    weights = tuple(float(weight) for weight in np.linspace(-1, 1, 8))
    vector = torch.tensor(weights)
    product = (maps * vector[:, None, None]).sum(0)
    cosine = product / maps.norm(dim=0) / vector.norm()
    expected = {
        "class:3": logits[3],
        "probability:3": logits.log_softmax(0)[3],
        # Before the rectifier, whichever of the two layers is named.
        "channel:relu2:1": maps[1].mean(),
        "channel:conv2:1": maps[1].mean(),
        "neuron:relu2:5:2:3": maps[5, 2, 3],
        "layer:relu2": rectified.square().mean(),
        Direction("relu2", weights): (product * cosine.clamp_min(0.1) ** 2).mean(),
    }
    for unit, value in expected.items():
        assert inside.unit_values(digits, unit, [picture])[0] == pytest.approx(float(value), rel=1e-4), unit


def test_a_layer_called_twice_is_read_at_its_last_call_before_its_rectifier():
    """The network calls one in-place rectifier after its first and after its second convolution."""
    model, picture = toy_model(Conv()), make_picture(16)
    with torch.no_grad():
        pooled = F.max_pool2d(model.module.first(model.prepare(picture)).clamp_min(0), 2)
        before = F.relu(pooled)
        expected = pooled[0, 2].mean()
    assert torch.equal(before, pooled)
    assert inside.unit_values(model, "channel:relu:2", [picture])[0] == pytest.approx(float(expected), rel=1e-4)


class Dead(nn.Module):
    """A unit whose rectifier is shut for every grey picture and opens for bright ones."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 2, 3), nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.conv.weight.fill_(1 / 9)
            self.conv.bias.fill_(-0.6)
            self.head.weight.fill_(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(F.relu(self.conv(x)).mean((2, 3)))


@pytest.mark.parametrize("redirect", [True, False])
def test_a_dead_unit_is_revived_by_the_rule_and_not_without(redirect, monkeypatch):
    if not redirect:
        monkeypatch.setattr(optimize, "REDIRECTED_STEPS", 0)
    model = make_classifier(Dead(), 32, channels=1, classes=2)
    curve = inside.visualize(model, "class:0", "pixel", steps=20).curve
    assert curve[0] == 0
    assert curve[-1] > 0.05 if redirect else not any(curve)


def test_equal_seeds_give_equal_bytes_on_eight_threads_and_leave_weights_and_global_draws_alone(digits):
    before, state = state_sha256(digits.module), torch.get_rng_state()

    def make(seed: int) -> bytes:
        result = inside.visualize(digits, "channel:conv3:2", "maco", steps=2, seed=seed)
        return result.picture.tobytes() + np.array(result.curve).tobytes()

    expected = [make(seed) for seed in (0, 1)]
    assert expected[0] != expected[1]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(make, [0, 1] * 4)) == expected * 4
    assert state_sha256(digits.module) == before and torch.equal(torch.get_rng_state(), state)
    assert not any(part._forward_hooks for part in digits.module.modules())


@pytest.mark.parametrize(
    ("unit", "method"),
    [
        ("class:3", "fourier"),
        ("channel:conv1:2", "pixel"),
        ("channel:conv2:5", "fourier"),
        ("channel:conv3:1", "pixel"),
    ],
)
def test_a_picture_beats_200_digits_and_its_negative_lies_below_all(digits, unit, method):
    levels = load_digits().images[:200]
    natural = [Image.fromarray((level * 255 / 16).astype(np.uint8)).resize((28, 28)) for level in levels]
    values = inside.unit_values(digits, unit, natural)
    most, least = (inside.visualize(digits, unit, method, sign=sign, steps=40) for sign in (1, -1))
    assert most.score > values.max() and least.score < values.min()
    assert most.curve[-1] > most.curve[0] and least.curve[-1] < least.curve[0]


@pytest.mark.parametrize("method", inside.PARAMETRIZATIONS)
def test_a_picture_that_is_saved_and_uploaded_is_recognized(digits, method, tmp_path):
    result = inside.visualize(digits, "probability:8", method, steps=32)
    result.picture.save(tmp_path / "8.png")
    with Image.open(tmp_path / "8.png") as picture:
        assert predict(digits, picture.convert("RGB")).classes[0][0] == 8
    assert result.score == pytest.approx(float(inside.unit_values(digits, "probability:8", [result.picture])[0]))


@pytest.mark.parametrize("method", inside.PARAMETRIZATIONS)
def test_a_photograph_is_changed_and_still_there_at_its_own_shape(method):
    model, photo = toy_model(Conv()), make_picture(64).resize((45, 33))
    result = inside.visualize(model, "layer:third", method, start=photo, size=33, steps=8)
    assert result.picture.size == (45, 33) == result.size
    change = np.abs(np.asarray(result.picture, int) - np.asarray(photo, int))
    assert 1 < change.mean() < 60
    start_value = inside.unit_values(model, "layer:third", [photo])[0]
    assert result.score > start_value


def test_several_pictures_differ_more_with_diversity(digits):
    def measure_distance(diversity: float) -> float:
        pictures = inside.visualize(digits, "class:0", "pixel", count=2, diversity=diversity, steps=24).pictures
        first, second = (maps_by_hand(digits, "relu3", picture).mean((1, 2)) for picture in pictures)
        return float((first - second).norm() / first.norm())

    assert measure_distance(1.0) > 1.5 * measure_distance(0.0) > 0


def test_a_job_counts_shows_a_preview_and_stops_at_once(digits):
    job = Job()
    result = inside.visualize(digits, "class:1", steps=5, job=job)
    assert job.done == job.total == 5 * 4 + 1 and len(result.curve) == 5

    class Stopped(Job):
        def show_preview(self, preview) -> None:
            super().show_preview(preview)
            self.cancel()

    job = Stopped()
    job.request_preview()
    with pytest.raises(Cancelled):
        inside.visualize(digits, "class:1", steps=1000, job=job)
    assert job.done < 3 * 4 and inside.to_picture(job.preview.pictures[0]).size == (28, 28)
    assert len(job.preview.curve) == 1 and job.preview.steps == 1000


@pytest.mark.parametrize(
    "name", ["efficientnet_lite0", "resnet18", "densenet121", "googlenet", "convnext_tiny", "vit_b_16", "swin_t"]
)
def test_every_kind_of_network_makes_a_picture_of_a_class_and_a_channel(name):
    """One gradient step from a photograph at the network's own side or another one."""
    model = half_size_model(name)
    layer = model.recommended_layer
    unit = {"class:3": 1.0, f"channel:{layer.name}:0": 1.0}
    result = inside.visualize(model, unit, "pixel", start=make_picture(64), steps=1, size=64)
    assert np.isfinite(result.curve).all() and np.isfinite(result.scores).all()
    assert (
        np.abs(np.asarray(result.picture, int) - np.asarray(make_picture(64).convert(result.picture.mode))).mean() > 1
    )


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"unit": "probability:12"}, InvalidParam, "from 0 to 9"),
        ({"unit": "probability:"}, InvalidParam, "Got"),
        ({"unit": "flatten:3"}, InvalidParam, "A unit is written as"),
        ({"unit": "layer:linear1"}, InvalidParam, "no picture-like output"),
        ({"unit": "channel:conv1:4"}, InvalidParam, "0 to 3"),
        ({"unit": {}}, InvalidParam, "at least one"),
        ({"unit": {f"class:{number}": 1 for number in range(9)}}, InvalidParam, "up to 8"),
        ({"unit": Direction("conv1", (1.0, 2.0))}, InvalidParam, "needs 4"),
        ({"unit": Direction("conv1", (0.0,) * 4)}, InvalidParam, "not all 0"),
        ({"method": "foureir"}, UnknownName, "fourier"),
        ({"sign": 2}, InvalidParam, "1 for the largest"),
        ({"size": 8}, InvalidParam, "from 16 to 512"),
        ({"steps": 0}, InvalidParam, "from 1 to 1024"),
        ({"steps": 2.5}, InvalidParam, "whole number"),
        ({"start": "photo.jpg"}, InvalidImage, "read_image"),
        ({"seed": -1}, InvalidParam, "seed"),
        ({"smoother": float("nan")}, InvalidParam, "from 0 to 1"),
        ({"count": 99}, InvalidParam, "from 1 to 6"),
    ],
)
def test_a_bad_request_is_refused_in_words_before_any_work(digits, change, error, words):
    request = {"unit": "class:3"} | change
    job = Job()
    with pytest.raises(error, match=words):
        inside.visualize(digits, job=job, **request)
    assert job.total == 0
