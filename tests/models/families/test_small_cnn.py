"""The small digit network: its size, its committed weights and the accuracy claimed for them."""

from __future__ import annotations

import json

import pytest
import torch
from PIL import Image, ImageDraw
from torch import nn

from xai_core.errors import ModelUnavailable
from xai_core.models import MODELS, load_model, train_small_cnn
from xai_core.models.families import small_cnn


@pytest.fixture(autouse=True)
def _one_thread():
    """Threads that wait for each other cost more than batches this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def digits() -> train_small_cnn.Digits:
    return train_small_cnn.load_digits()


def test_it_is_the_network_of_the_teaching_material():
    module = load_model("small_cnn", "cpu").module
    assert sum(p.numel() for p in module.parameters()) == 10_890
    kinds = [type(part).__name__ for part in module.children()]
    assert kinds == ["Conv2d", "ReLU", "MaxPool2d"] * 2 + ["Conv2d", "ReLU", "Flatten", "Linear", "ReLU", "Linear"]
    shapes = [tuple(part.weight.shape) for part in module.children() if isinstance(part, (nn.Conv2d, nn.Linear))]
    assert shapes == [(4, 1, 3, 3), (8, 4, 3, 3), (8, 8, 3, 3), (120, 72), (10, 120)]
    assert small_cnn.WEIGHTS.stat().st_size < 100_000


def test_the_claimed_accuracy_is_that_of_the_committed_weights(digits):
    claimed = json.loads(small_cnn.WEIGHTS.with_suffix(".json").read_text(encoding="utf-8"))
    model = load_model("small_cnn", "cpu")
    with torch.no_grad():
        answers = model.module(digits.held_out).numpy()
    right = sum(
        row.tolist().index(row.max()) == label
        for row, label in zip(answers, digits.held_out_labels.tolist(), strict=True)
    )
    assert right / len(digits.held_out) == pytest.approx(claimed["test_accuracy"], abs=1e-9)
    assert claimed["test_accuracy"] >= 0.97
    assert claimed["test_digits"] == len(digits.held_out) == 450


def test_held_out_digits_are_not_trained_on(digits):
    assert len(digits.train) + len(digits.held_out) == 1797
    seen = {picture.numpy().tobytes() for picture in digits.train}
    assert not any(picture.numpy().tobytes() in seen for picture in digits.held_out)
    shares = torch.bincount(digits.held_out_labels) / torch.bincount(digits.train_labels)
    assert (shares - 1 / 3).abs().max() < 0.02  # stratified


def test_training_is_repeatable_and_learns_without_the_global_generator(digits):
    before = torch.get_rng_state()
    few, labels = digits.train[:64], digits.train_labels[:64]
    first, second, third = (train_small_cnn.train(few, labels, seed=seed, epochs=2) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.conv1.weight, third.conv1.weight)
    trained = train_small_cnn.train(digits.train[:256], digits.train_labels[:256], epochs=15)
    assert train_small_cnn.accuracy(trained, digits.held_out, digits.held_out_labels) > 0.5  # chance is 0.1


def test_drawn_digits_are_read_from_an_ordinary_picture():
    model = load_model("small_cnn", "cpu")
    for digit, draw in {
        "0": lambda pen: pen.ellipse([80, 20, 220, 220], outline="white", width=36),
        "1": _stroke,
    }.items():
        image = Image.new("RGB", (300, 240))
        draw(ImageDraw.Draw(image))
        example = model.prepare(image)
        assert example.shape == (1, 1, 28, 28)
        assert model.labels[int(model.module(example).argmax())] == digit


def _stroke(pen: ImageDraw.ImageDraw) -> None:
    pen.line([(150, 20), (150, 220)], fill="white", width=48)


def test_the_recommended_layer_is_the_last_relu():
    best = load_model("small_cnn", "cpu").recommended_layer
    assert best is not None and (best.name, best.kind, best.shape) == ("relu3", "ReLU", (8, 3, 3))


@pytest.mark.parametrize("content", [None, b"", b"not weights at all", b"\xff" * 64])
def test_missing_or_damaged_weights_say_how_to_make_them(content, monkeypatch, tmp_path):
    path = tmp_path / "small_cnn.safetensors"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(small_cnn, "WEIGHTS", path)
    with pytest.raises(ModelUnavailable, match=r"python -m xai_core\.models\.train_small_cnn"):
        MODELS.get("small_cnn").build(None)
