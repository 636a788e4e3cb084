"""A forward that also tells what a layer found: every number against plain NumPy over the layer's own maps."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.zoo_networks import make_classifier, zoo_model
from xai_core.engine.backends import forward as engine
from xai_core.engine.backends.forward import forward_with_features
from xai_core.engine.backends.with_features import NetworkWithFeatures, WithFeatures
from xai_core.models.classifier import Preprocessing
from xai_core.models.isolation import isolate


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path))
    return tmp_path


class Many(nn.Module):
    """Maps first, maps last, tokens behind a class token; a step that writes into what a layer returned; a layer used
    twice.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.again = (
            nn.Conv2d(3, 6, 3, padding=1),
            nn.Conv2d(6, 6, 3, stride=2),
            nn.Conv2d(6, 6, 1),
        )
        self.last, self.tokens, self.head = nn.Linear(6, 7), nn.Linear(7, 5), nn.Linear(5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.first(x)
        maps.relu_()
        maps = self.again(self.again(self.second(maps)) + 0.3).sigmoid()
        wide = self.last(maps.permute(0, 2, 3, 1))
        flat = wide.flatten(1, 2)
        tokens = self.tokens(torch.cat([flat.mean(1, keepdim=True), flat], dim=1))
        return self.head(tokens[:, 0] + tokens[:, 1:].amax(1))


LAYERS = ("first", "second", "again", "last", "tokens")


def many_model(side: int = 17):
    """Its colours are normalised each in its own way."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = make_classifier(Many(), side, classes=4, name="many")
    return replace(model, preprocessing=Preprocessing(side, side, (0.5, 0.4, 0.3), (0.5, 0.3, 0.2)))


def noise(count: int, side: int = 17, channels: int = 3, seed: int = 8) -> torch.Tensor:
    """Pictures as a model sees them, in bytes."""
    return torch.randint(
        256, (count, side, side, channels), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8
    )


def prepare_pictures(model, seen: torch.Tensor) -> torch.Tensor:
    """Return `Classifier.prepare` of these pictures, one by one."""
    pictures = [
        Image.fromarray(picture.numpy() if picture.shape[2] == 3 else picture[:, :, 0].numpy()) for picture in seen
    ]
    return torch.cat([model.prepare(picture) for picture in pictures])


def compute_by_hand(model, name: str, seen: torch.Tensor):
    """Logits, and the layer's last output as (N, C, places) NumPy, taken by a hook on a copy of our own."""
    private, outputs, layer = isolate(model.module), [], model.layer(name)
    private.get_submodule(name).register_forward_hook(lambda _m, _i, output: outputs.append(output.clone()))
    with torch.no_grad():
        logits = private(prepare_pictures(model, seen)).numpy()
    values = outputs[-1].numpy()
    if layer.layout == "channels_first":
        return logits, values.reshape(*values.shape[:2], -1)
    if layer.layout == "tokens":
        values = values[:, 1:]
    return logits, np.moveaxis(values.reshape(len(values), -1, values.shape[-1]), -1, 1)


def check_rows(model, name: str, x: torch.Tensor) -> None:
    forward, (logits, places) = forward_with_features(model, model.layer(name)), compute_by_hand(model, name, x)
    assert forward.backend == "openvino", forward.note
    features = WithFeatures.from_rows(forward(x), places.shape[1])
    close = {"rtol": 1e-4, "atol": 1e-4 * max(np.abs(places).max(), 1)}
    np.testing.assert_allclose(features.logits, logits, atol=1e-3)
    np.testing.assert_allclose(features.mean, places.mean(2), **close)
    np.testing.assert_allclose(features.max, places.max(2), **close)
    there = np.take_along_axis(places, features.argmax.numpy().astype(int)[:, :, None], axis=2)[:, :, 0]
    np.testing.assert_allclose(there, places.max(2), **close)
    assert places.std() > 0.01 and (features.argmax.numpy() == places.argmax(2)).mean() > 0.95


def test_every_layout_gives_the_numbers_of_numpy(own_data_folder):
    """Of the networks that were translated for it, only the recommended layer's stays on the disk."""
    model, layouts = many_model(), set()
    for name in ("again", "last", "tokens"):
        check_rows(model, name, noise(5))
        layouts.add(model.layer(name).layout)
    assert layouts == {"channels_first", "channels_last", "tokens"} and model.recommended_layer.name in (
        "again",
        "last",
        "tokens",
    )
    assert len(list((own_data_folder / "openvino").glob("*/network.xml"))) == 1


def test_a_bundled_model_too():
    model = zoo_model("small_cnn")
    check_rows(model, model.recommended_layer.name, noise(6, 28, 1))


@pytest.mark.parametrize("name", LAYERS)
def test_plain_torch_gives_the_same_rows(name):
    """Plain torch runs on a graphics card, and where the compiled engine fails."""
    model, x = many_model(), noise(3)
    logits, places = compute_by_hand(model, name, x)
    features = WithFeatures.from_rows(engine.build_eager_run(model, model.layer(name))(x), places.shape[1])
    np.testing.assert_allclose(features.logits, logits, atol=1e-5)
    np.testing.assert_allclose(features.mean, places.mean(2), atol=1e-5)
    np.testing.assert_allclose(features.max, places.max(2), atol=1e-5)
    np.testing.assert_array_equal(features.argmax, places.argmax(2))


@pytest.mark.parametrize("make", [many_model, lambda: zoo_model("small_cnn")])
def test_pictures_are_prepared_to_the_last_bit_as_everywhere_else(make):
    model = make()
    seen = noise(3, model.side, model.preprocessing.channels)
    expected = prepare_pictures(model, seen)
    assert (
        torch.equal(NetworkWithFeatures(model, model.recommended_layer)._normalize(seen), expected)
        and expected.std() > 0.1
    )


def test_equal_maxima_give_the_first_place():
    model = make_classifier(nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(3 * 64, 2)), 8, classes=2)
    x = torch.zeros(1, 8, 8, 3, dtype=torch.uint8)
    x[0, 2, 3, 1] = x[0, 5, 6, 1] = 9
    features = WithFeatures.from_rows(engine.build_openvino_run(model, model.layer("0"))(x), 3)
    assert features.argmax.tolist() == [[0, 2 * 8 + 3, 0]]


def test_lanes_side_by_side_do_not_mix_their_pictures():
    model = many_model()
    run = engine.build_eager_run(model, model.layer("second"))
    gate = threading.Barrier(4)

    def visit(number: int) -> bool:
        x = noise(2, seed=number)
        gate.wait()
        rows = [run(x) for _ in range(10)]
        return all(torch.equal(row, rows[0]) for row in rows) and torch.allclose(rows[0], alone[number], atol=1e-5)

    alone = [run(noise(2, seed=number)) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(visit, range(4)))


@pytest.mark.parametrize("part", ["logits", "mean", "max", "argmax"])
def test_an_engine_that_is_wrong_in_one_part_is_dropped_with_a_note(monkeypatch, part):
    def wrong(model, layer=None):
        run = engine.build_eager_run(model, layer)

        def spoil(x: torch.Tensor) -> torch.Tensor:
            rows = run(x)
            getattr(WithFeatures.from_rows(rows, 6), part)[:, -1] += 1  # a view: `split` copies nothing
            return rows

        return spoil

    monkeypatch.setattr(engine, "build_openvino_run", wrong)
    model = many_model()
    forward = forward_with_features(model, model.layer("second"))
    assert forward.backend == "torch" and "differs" in forward.note


def test_rows_of_several_jobs_in_one_batch_come_back_apart(monkeypatch):
    monkeypatch.setattr(engine, "build_openvino_run", engine.build_eager_run)
    model = many_model()
    forward = forward_with_features(model, model.layer("second"))
    x = noise(4)
    whole = forward(x)
    tasks = [forward.submit(x[[place]]) for place in range(4)]
    np.testing.assert_allclose(torch.cat([task.wait() for task in tasks]), whole, atol=1e-5)


def test_it_is_built_once_kept_for_a_few_layers_and_dropped_with_the_model(monkeypatch):
    model, built = many_model(), []
    original = engine.build_forward
    monkeypatch.setattr(
        engine, "build_forward", lambda model, layer: built.append(layer.name) or original(model, layer)
    )
    monkeypatch.setattr(engine, "build_openvino_run", engine.build_eager_run)
    with ThreadPoolExecutor(8) as pool:
        features = set(pool.map(forward_with_features, [model] * 8, [model.layer("second")] * 8))
    assert len(features) == 1 and built == ["second"]
    for name in ("first", "last", "second"):
        forward_with_features(model, model.layer(name))
    assert built == ["second", "first", "last", "second"]
    before = len(engine._feature_forwards)
    del model, features
    gc.collect()
    assert len(engine._feature_forwards) == before - 1
