"""One picture alone is described exactly as it is within its set."""

from __future__ import annotations

import numpy as np

import xai_core
from xai_core.imageset.projection.pixels import read_pixels
from xai_core.imageset.projection.query import describe_picture, describe_pixels
from xai_core.imageset.runs.inference import run_model
from xai_core.imageset.sets.library import load_set


def test_a_picture_of_the_set_comes_to_itself() -> None:
    digits, model = load_set("digits"), xai_core.load_model("small_cnn")
    run, all_pixels = run_model(digits, model), read_pixels(digits)
    for row in (0, 3, 1500):
        result = describe_picture(digits.open(row).convert("RGB"), model)
        assert result.shape == run.mean[row].shape
        np.testing.assert_allclose(result, run.mean[row], atol=1e-5)
        assert np.abs(run.mean - result).sum(axis=1).argmin() == row
        np.testing.assert_array_equal(describe_pixels(digits.open(row)), all_pixels[row])
