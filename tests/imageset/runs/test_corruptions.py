"""Changed pictures: each as its record says, the same again for the same picture, and worse with severity."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.zoo_networks import make_picture
from xai_core.errors import InvalidParam, UnknownName
from xai_core.imageset.runs.corruptions import CORRUPTIONS, parse_corruption

COLOUR, GREY = make_picture(96, seed=3), make_picture(28, seed=4).convert("L")
NAMES = tuple(CORRUPTIONS)


def numbers(image: Image.Image) -> np.ndarray:
    return np.asarray(image, dtype=float)


@pytest.mark.parametrize("name", NAMES)
def test_size_and_kind_stay_and_the_original_too(name):
    for image in (COLOUR, GREY):
        before = image.tobytes()
        for severity in (1, 2, 3):
            outputs = parse_corruption(f"{name}:{severity}")(image, 0)
            assert (outputs.size, outputs.mode) == (image.size, image.mode) and image.tobytes() == before
        assert (name == "grey" and image is GREY) or outputs.tobytes() != before


@pytest.mark.parametrize("name", NAMES)
def test_the_same_picture_is_changed_the_same_way_and_the_next_one_otherwise(name):
    change = parse_corruption(f"{name}:2")
    assert change(COLOUR, 5).tobytes() == change(COLOUR, 5).tobytes()
    by_chance = len({change(COLOUR, index).tobytes() for index in range(8)}) > 1
    assert by_chance == (name in ("gaussian_noise", "rotate", "crop"))


@pytest.mark.parametrize("name", [name for name in NAMES if len(CORRUPTIONS.get(name).levels) > 1])
def test_more_severe_is_farther_from_the_original(name):
    far = [
        np.mean(
            [np.abs(numbers(parse_corruption(f"{name}:{s}")(COLOUR, i)) - numbers(COLOUR)).mean() for i in range(6)]
        )
        for s in (1, 2, 3)
    ]
    assert 0.5 < far[0] < far[1] < far[2]


def test_each_does_what_it_says():
    grey = numbers(parse_corruption("grey:3")(COLOUR, 0))
    assert (grey == grey[..., :1]).all()
    assert parse_corruption("mirror")(COLOUR, 0).tobytes() == ImageOps.mirror(COLOUR).tobytes()
    flat = Image.new("RGB", (64, 64), (100, 100, 100))
    assert parse_corruption("brightness:1")(flat, 0).getpixel((0, 0)) == (126, 126, 126)  # 100 + 25.5
    noisy = numbers(parse_corruption("gaussian_noise:1")(Image.new("RGB", (200, 200), (128, 128, 128)), 0))
    assert noisy.std() == pytest.approx(0.08 * 255, rel=0.02) and noisy.mean() == pytest.approx(128, abs=0.5)
    pale = numbers(parse_corruption("contrast:2")(COLOUR, 0))
    np.testing.assert_allclose(pale.std((0, 1)), 0.2 * numbers(COLOUR).std((0, 1)), rtol=0.05)
    np.testing.assert_allclose(pale.mean((0, 1)), numbers(COLOUR).mean((0, 1)), atol=0.5)
    for name in ("rotate:3", "crop:3"):
        assert (numbers(parse_corruption(name)(flat, 1)) == 100).all(), "no borders appear"


def test_a_blur_is_one_of_the_same_share_of_a_smaller_picture():
    edge = np.zeros((224, 224), dtype=np.uint8)
    edge[:, 112:] = 255
    wide = numbers(parse_corruption("blur:3")(Image.fromarray(edge), 0))[0]
    small = numbers(parse_corruption("blur:3")(Image.fromarray(edge[::4, ::4]), 0))[0]
    assert np.abs(wide[2::4] - small).max() < 20 and 100 < wide[112] < 155


@pytest.mark.parametrize("severity", [1, 2, 3])
def test_a_blur_is_seen_on_a_tiny_picture_too(severity):
    """A bright point spreads about as far as a Gaussian of 0.42, 0.66 and 1.02 pixels: squared widths."""
    point = np.zeros((28, 28), dtype=np.uint8)
    point[14, 14] = 255
    outputs = numbers(parse_corruption(f"blur:{severity}")(Image.fromarray(point), 0))
    sigma = (0.42, 0.66, 1.02)[severity - 1]
    places = np.arange(28) - 14
    spread = float((outputs.sum(axis=0) * places**2).sum() / outputs.sum())
    assert outputs[14, 14] < 190 and spread == pytest.approx(sigma**2, rel=0.3)


@pytest.mark.parametrize(("text", "full"), [("blur", "blur:1"), ("blur:3", "blur:3"), ("mirror:2", "mirror:1")])
def test_a_text_has_one_full_form(text, full):
    assert parse_corruption(text).text == full and parse_corruption(full) == parse_corruption(text)


def test_what_is_not_one_is_refused_in_words():
    assert parse_corruption("") is None
    with pytest.raises(UnknownName, match="blur"):
        parse_corruption("blurr:1")
    for text in ("blur:0", "blur:4", "blur:x", "blur:1:2", "blur:²"):
        with pytest.raises(InvalidParam, match="from 1 to 3"):
            parse_corruption(text)
