"""Every method of the list has an example picture, which its script draws again."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import xai_core
from tests.pages.learn import method_pictures
from xai_core.tabular import TABULAR_METHODS, row_example

MAX_BYTES = 40_000
QUICK = ("grad_cam", "gradient_x_input")
"""Methods of a few passes; the others take up to thousands."""


def test_every_method_that_fits_the_model_has_an_example() -> None:
    model = xai_core.load_model(method_pictures.MODEL)
    for spec in xai_core.METHODS.specs():
        file = xai_core.method_example(spec.name)
        assert (file is None) == (spec.refusal(model) is not None), spec.name
        if file is not None:
            assert Image.open(file).size == (method_pictures.SIDE, method_pictures.SIDE)
            assert file.stat().st_size < MAX_BYTES


def test_every_method_for_rows_has_an_example() -> None:
    for name in TABULAR_METHODS:
        file = row_example(name)
        assert file is not None, name
        assert Image.open(file).mode == "RGBA" and file.stat().st_size < MAX_BYTES


def test_the_usual_methods_have_different_pictures() -> None:
    """Others may not: on this network CAM is Grad-CAM, for its head is an average and a linear layer."""
    files = [xai_core.method_example(spec.name) for spec in xai_core.METHODS.specs() if spec.usual]
    assert len({file.read_bytes() for file in files if file}) == len(files) == 4


@pytest.mark.parametrize("method", QUICK)
def test_the_script_draws_the_picture_again(method: str) -> None:
    file, drawn = xai_core.method_example(method), method_pictures.draw_map(method)
    assert file is not None and drawn is not None
    packed = io.BytesIO()
    drawn.save(packed, "WEBP", quality=method_pictures.QUALITY)
    stored, again = (np.asarray(Image.open(source).convert("RGB"), dtype=float) for source in (file, packed))
    assert np.abs(stored - again).mean() < 2
    occlusion = Image.open(xai_core.method_example("occlusion") or file).convert("RGB")
    assert np.abs(stored - np.asarray(occlusion, dtype=float)).mean() > 5, "another method looks different"
