"""Readings of ideas are found again after a restart, bit for bit, and made anew where the file is damaged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import nn

from tests.zoo_networks import make_classifier
from xai_core import inside
from xai_core.inside.concepts import stored

SIDE = 12


def test_readings_are_found_again_by_weights_and_source_until_they_are_damaged() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 2))
    model = make_classifier(network, SIDE, classes=2, name="readings")
    pictures = [inside.draw_probe(10).pictures[number] for number in range(3)]
    calls = []

    def make() -> dict[str, dict[str, np.ndarray]]:
        calls.append(1)
        layers = [model.layer("0"), model.layer("1")]
        return {"first": inside.read_activations(model, layers, pictures), "b": {"0": np.full((1, 4), len(calls) / 3)}}

    source = ("ideas", "some pictures")
    first, again = (inside.load_readings(model, source, make) for _ in range(2))
    assert calls == [1] and list(again) == ["first", "b"] and list(again["first"]) == ["0", "1"]
    for layer in ("0", "1"):
        np.testing.assert_array_equal(again["first"][layer], first["first"][layer])
        assert again["first"][layer].dtype == np.float64
    inside.load_readings(model, (*source, 7), make)
    assert calls == [1, 1], "of other pictures"
    for folder in stored._cache().entries():
        (folder.folder / "arrays.npz").write_bytes(b"PK damaged")
    inside.load_readings(model, source, make)
    assert calls == [1, 1, 1]
    inside.load_readings(replace(model, weights_sha256="other weights"), source, make)
    assert calls == [1, 1, 1, 1]
    inside.load_readings(model, source, make)
    assert calls == [1, 1, 1, 1]
