"""Dark ink on paper for a network that knows light strokes: offered there, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

import xai_core
from tests.images.picture_files import scene
from xai_core.images import SAMPLES, invert, suggest_inversion


@dataclass(frozen=True)
class Needs:
    wants_light_strokes: bool = True


def page(paper: int, ink: tuple[int, int, int], width: int, shade: float) -> Image.Image:
    """A seven on paper, photographed: light falls from one corner, and the camera makes noise."""
    picture = Image.new("RGB", (400, 400), (paper, paper, int(paper * 0.95)))
    ImageDraw.Draw(picture).line([(110, 90), (290, 90), (170, 320)], fill=ink, width=width, joint="curve")
    y, x = np.mgrid[0:400, 0:400] / 400
    light = 1 - shade * (x + y) / 2
    noise = np.random.default_rng(0).normal(0, 4, (400, 400, 3))
    return Image.fromarray((np.asarray(picture) * light[:, :, None] + noise).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("paper", [250, 200, 165])
@pytest.mark.parametrize("ink", [(20, 20, 20), (20, 40, 140), (90, 90, 90)])
@pytest.mark.parametrize("shade", [0.0, 0.3])
@pytest.mark.parametrize("width", [10, 50])
def test_ink_on_paper_is_offered(paper: int, ink: tuple[int, int, int], shade: float, width: int) -> None:
    picture = page(paper, ink, width, shade)
    assert suggest_inversion(picture, Needs())
    assert not suggest_inversion(picture, Needs(False)) and not suggest_inversion(invert(picture), Needs())


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "horse"])
def test_photographs_and_light_digits_are_not_offered(name: str) -> None:
    sample = SAMPLES.get(name)
    assert not suggest_inversion(sample.load(), Needs())
    assert suggest_inversion(invert(sample.load()), Needs()) or sample.kind == "photo"


def test_an_outline_on_white_is_offered_and_empty_pictures_are_not() -> None:
    assert suggest_inversion(SAMPLES.get("horse").load(), Needs())
    for picture in (Image.new("RGB", (50, 50), "white"), Image.new("RGB", (50, 50)), Image.fromarray(scene())):
        assert not suggest_inversion(picture, Needs())


def test_the_small_network_reads_ink_that_was_inverted() -> None:
    """The need is a fact of the model's record; the inverted picture is a picture as any."""
    model = xai_core.load_model("small_cnn")
    assert [spec.name for spec in xai_core.MODELS.specs() if spec.wants_light_strokes] == ["small_cnn"]
    for digit in (3, 5, 8):
        dark = ImageOps.invert(SAMPLES.get(f"digit_{digit}").load())
        assert suggest_inversion(dark, xai_core.MODELS.get("small_cnn"))
        assert xai_core.predict(model, invert(dark)).classes[0][1] == str(digit)
    seven = page(245, (30, 30, 40), 40, 0.2)
    assert xai_core.explain(model, invert(seven), "saliency").values.shape[-2:] == (28, 28)


def test_the_negative_has_the_same_size_and_comes_back() -> None:
    picture = Image.fromarray(scene())
    negative = invert(picture)
    assert (np.asarray(negative) == 255 - scene()).all() and invert(negative).tobytes() == picture.tobytes()
    assert invert(picture.convert("L")).tobytes() == ImageOps.invert(picture.convert("L")).convert("RGB").tobytes()
