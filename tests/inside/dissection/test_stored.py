"""Stored dissections are the same as fresh ones; examples show the unit's strongest pictures."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from tests.inside.dissection.test_dissect import RED, SIDE, make_network, make_probe, read_maps
from tests.zoo_networks import make_classifier
from xai_core import InvalidParam, inside
from xai_core.inside import Dissection
from xai_core.inside.dissection import stored


@pytest.fixture(scope="module")
def model():
    return make_classifier(make_network(), SIDE, classes=5, name="stored")


def is_same(first: Dissection, second: Dissection) -> bool:
    pairs = [(getattr(first, entry.name), getattr(second, entry.name)) for entry in fields(first)]
    return all(
        str(a) == str(b) and np.array_equal(a, b) if isinstance(a, np.ndarray) else str(a) == str(b) for a, b in pairs
    )


def test_a_dissection_is_found_again_until_it_is_damaged(model, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = replace(make_probe(), key="some scenes")
    assert inside.find_dissection(model, "1", probe) is None
    result = inside.load_dissection(model, "1", probe)
    # As after a restart.
    stored._RECENT.pop(str(stored._cache().path(stored._make_id(model, "1", probe))))
    again = inside.find_dissection(model, "1", probe)
    assert again is not None and again is not result and is_same(again, result) and again.labels[RED].concept == "red"
    assert inside.find_dissection(model, "0", probe) is None
    assert inside.find_dissection(model, "1", replace(probe, key="other scenes")) is None
    monkeypatch.setattr(stored, "dissect", lambda *_: pytest.fail("it is stored"))
    assert is_same(inside.load_dissection(model, "1", probe), result)
    folder = stored._cache().path(stored._make_id(model, "1", probe))
    stored._RECENT.pop(str(folder))
    (folder / "arrays.npz").write_bytes(b"PK\x03\x04 damaged")
    assert inside.find_dissection(model, "1", probe) is None


def test_pictures_without_a_key_are_not_stored(model) -> None:
    inside.load_dissection(model, "1", make_probe())
    assert inside.find_dissection(model, "1", make_probe()) is None


def test_examples_are_the_strongest_pictures_with_their_masks(model) -> None:
    probe = make_probe()
    result = inside.dissect(model, "1", probe)
    examples = inside.read_examples(model, result, probe, RED, 4)
    strongest = np.argsort(-read_maps(model, probe)[:, RED].max((1, 2)), kind="stable")[:4]
    assert result.top[RED, :4].tolist() == strongest.tolist()
    for row, example in zip(strongest, examples, strict=True):
        assert np.array_equal(np.asarray(example.picture), np.asarray(probe.pictures[row]))
        assert np.array_equal(example.concept, np.kron(probe.masks[row][0], np.ones((7, 7), bool)))
        assert (example.mask & example.concept).sum() > 0.5 * example.mask.sum() > 0
    with pytest.raises(InvalidParam, match="units 0 to 7"):
        inside.read_examples(model, result, probe, 8)
