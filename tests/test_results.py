"""Results are frozen, own their numbers and keep their sign."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from xai_core.results import Attribution, Check


def attribution(values: np.ndarray, **more: object) -> Attribution:
    basis = {
        "method": "m",
        "model": "n",
        "layer": None,
        "target": 0,
        "label": "a",
        "quantity": "logit",
        "params": {"k": 1},
        "seed": 0,
    }
    rest = {"evaluations": 1, "seconds": 0.1, "image_sha256": "", "versions": {}}
    return Attribution(values, **basis, **rest, **more)  # type: ignore[arg-type]


def test_it_is_frozen_and_owns_its_numbers():
    given = np.ones((2, 2))
    result = attribution(given)
    given[0, 0] = 7
    assert result.values[0, 0] == 1 and result.values.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        result.values[0, 0] = 3
    with pytest.raises(ValueError, match="read-only"):
        attribution(np.ones((3, 2, 2))).heatmap[0, 0] = 3
    with pytest.raises(FrozenInstanceError):
        result.seed = 4  # type: ignore[misc]
    with pytest.raises(TypeError):
        result.params["k"] = 2  # type: ignore[index]


def test_the_heatmap_sums_channels():
    values = np.arange(12, dtype=np.float32).reshape(3, 2, 2) - 6
    assert np.array_equal(attribution(values).heatmap, values.sum(0))
    assert np.array_equal(attribution(values[0]).heatmap, values[0])
    with pytest.raises(ValueError, match="shape"):
        attribution(np.ones(4))


def test_the_badge_is_the_worst_check():
    result = attribution(np.ones((2, 2)))
    assert result.level == "green"
    amber, red = Check("a", "amber", "A."), Check("b", "red", "B.")
    assert replace(result, checks=(amber,)).level == "amber" and replace(result, checks=(amber, red)).level == "red"
