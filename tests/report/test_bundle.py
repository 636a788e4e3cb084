"""The NPZ bundle: what goes in comes out, without pickle."""

from __future__ import annotations

import io

import numpy as np
import pytest

import xai_core
from tests.engine.results.store_helpers import same
from tests.zoo_networks import make_picture, zoo_model
from xai_core.report import npz_bytes, read_npz
from xai_core.results import attribution_from_json


def test_maps_and_provenance_come_back():
    model = zoo_model("small_cnn")
    result = xai_core.compare(
        model, make_picture(), ["grad_cam", "integrated_gradients", "grad_cam"], target=(3, 5), seed=4
    )
    arrays, about = read_npz(npz_bytes(result))
    assert list(arrays) == ["0_grad_cam", "1_integrated_gradients", "2_grad_cam"]
    for (name, array), original, entry in zip(arrays.items(), result, about["maps"], strict=True):
        assert array.dtype == np.float32 and np.array_equal(array, original.values) and entry["array"] == name
        assert entry["target"] == [3, 5] and entry["seed"] == 4 and entry["model"] == "small_cnn"
        assert entry["params"] == dict(original.params) and entry["image_sha256"] == original.image_sha256
        assert [check["sentence"] for check in entry["checks"]] == [check.sentence for check in original.checks]
        assert entry["versions"]["weights"] == model.weights_sha256
        assert same(attribution_from_json(array, entry), original)
    assert npz_bytes([])[:2] == b"PK"


def test_an_array_of_objects_is_not_unpickled():
    buffer = io.BytesIO()
    np.savez(buffer, about=np.array([{"maps": []}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        read_npz(buffer.getvalue())
