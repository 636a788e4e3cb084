"""The moved crop and the picture with bars: the model input is what Pillow cuts out of the picture at that place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import xai_core
from xai_core import Framing, frame_picture, visible_box
from xai_core.models.classifier import Preprocessing

PLACES = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.25, 0.5), (0.5, 0.75), (0.9, 0.1)]


@pytest.fixture(scope="module")
def model() -> xai_core.Classifier:
    """A network whose input is 24 pixels of a picture of 32."""
    digits = xai_core.load_model("small_cnn")
    return replace(digits, preprocessing=Preprocessing(32, 24, (0.5, 0.25, 0.75), (1.0, 1.0, 1.0), "bicubic"))


def draw_noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def read_input(model: xai_core.Classifier, image: Image.Image) -> np.ndarray:
    return np.asarray(model.preprocessing.model_input(image), dtype=int)


@pytest.mark.parametrize(("x", "y"), PLACES)
@pytest.mark.parametrize("size", [(50, 32), (32, 50), (32, 32)])
def test_the_model_input_is_the_crop_at_that_place(
    model: xai_core.Classifier, size: tuple[int, int], x: float, y: float
) -> None:
    """The shorter side is what the preprocessing resizes to, so that no number is interpolated."""
    image = draw_noise(*size)
    left, top = (round(place * (length - 24)) for place, length in zip((x, y), size, strict=True))
    expected = np.asarray(image.crop((left, top, left + 24, top + 24)), dtype=int)
    np.testing.assert_array_equal(read_input(model, frame_picture(model, image, Framing(x, y))), expected)


@pytest.mark.parametrize(("x", "y"), PLACES)
def test_a_large_photograph_is_cut_at_that_place_too(x: float, y: float) -> None:
    model, image = xai_core.load_model("efficientnet_lite0"), xai_core.SAMPLES.get("chelsea").load()
    box = visible_box(model, image.size, Framing(x, y))
    side = 300 * 224 / 256
    assert box == pytest.approx((x * (451 - side), y * (300 - side), x * (451 - side) + side, y * (300 - side) + side))
    actual = read_input(model, frame_picture(model, image, Framing(x, y)))

    def difference(right: int, down: int) -> float:
        moved = (box[0] + right, box[1] + down, box[2] + right, box[3] + down)
        expected = np.asarray(image.resize((224, 224), Image.Resampling.BICUBIC, box=moved), dtype=int)
        return float(np.abs(actual - expected)[4:-4, 4:-4].mean())

    # Places are rounded to a pixel of the photograph.
    assert difference(0, 0) < 5
    inward = (-4 if x > 0.5 else 4), (-4 if y > 0.5 else 4)
    assert difference(*inward) > 3 * difference(0, 0), "four pixels beside it would be another picture"


def test_the_middle_is_the_picture_itself(model: xai_core.Classifier) -> None:
    image = draw_noise(50, 32)
    assert frame_picture(model, image, Framing()) is image, "results and links of before stay valid"
    left, top, right, bottom = (round(side) for side in visible_box(model, image.size, Framing()))
    np.testing.assert_array_equal(read_input(model, image), np.asarray(image.crop((left, top, right, bottom))))


@pytest.mark.parametrize("size", [(96, 48), (48, 96), (48, 48)])
def test_fit_shows_the_whole_picture_between_bars(model: xai_core.Classifier, size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, (255, 0, 0))
    expected = Image.new("RGB", (24, 24), (128, 64, 191))
    small = image.resize((24 * size[0] // max(size), 24 * size[1] // max(size)))
    expected.paste(small, ((24 - small.width) // 2, (24 - small.height) // 2))
    actual = read_input(model, frame_picture(model, image, Framing(fit=True)))
    near_an_edge = np.zeros((24, 24), dtype=bool)
    for edge in {(24 - small.width) // 2, (24 + small.width) // 2} - {0, 24}:
        near_an_edge[:, edge - 2 : edge + 2] = True
    for edge in {(24 - small.height) // 2, (24 + small.height) // 2} - {0, 24}:
        near_an_edge[edge - 2 : edge + 2] = True
    np.testing.assert_array_equal(actual[~near_an_edge], np.asarray(expected)[~near_an_edge])


def test_another_place_is_another_result(model: xai_core.Classifier) -> None:
    digits, image = xai_core.load_model("small_cnn"), draw_noise(60, 30)
    places = (Framing(), Framing(0, 0.5), Framing(1, 0.5), Framing(fit=True))
    framed = [frame_picture(digits, image, place) for place in places]
    assert len({xai_core.plan(digits, picture, "saliency").id for picture in framed}) == len(places)
    assert xai_core.plan(digits, framed[0], "saliency").id == xai_core.plan(digits, image, "saliency").id


def test_codes_are_read_back() -> None:
    for framing in (Framing(), Framing(0, 1), Framing(0.125, 0.75), Framing(fit=True)):
        assert Framing.parse(framing.code()) == framing


@pytest.mark.parametrize("text", ["", "fat", "0.5", "2,0", "-0.1,0", "nan,0", "0,0,0", "a,b"])
def test_nonsense_is_refused_in_words(text: str) -> None:
    with pytest.raises(xai_core.InvalidParam, match="from 0 to 1"):
        Framing.parse(text)
