"""The picture that the model sees, against torchvision's own transforms and against the closed form."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torchvision.models import get_model_weights

from xai_core.models import Preprocessing
from xai_core.models.families.torchvision_zoo import ROWS, preprocessing_of

PHOTOS = {
    "wide": lambda: Image.fromarray(skimage.data.coffee()),
    "tall": lambda: Image.fromarray(skimage.data.chelsea()).rotate(90, expand=True).crop((0, 0, 299, 451)),
    "square": lambda: Image.fromarray(skimage.data.astronaut()),
    "smaller than the input": lambda: Image.fromarray(skimage.data.chelsea()).resize((91, 67)),
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_zoo_preprocessing_equals_torchvision(row):
    """torchvision asks Pillow, which rounds a few numbers to the next level."""
    weights = get_model_weights(row.name)[row.weights]
    steps = preprocessing_of(weights.value)
    for title, photo in PHOTOS.items():
        image = photo()
        ours = steps.to_tensor(steps.to_pixels(steps.model_input(image)))
        theirs = weights.transforms()(image)[None]
        assert ours.shape == theirs.shape == (1, 3, steps.crop, steps.crop)
        levels = (ours - theirs).abs() * 255 * torch.tensor(steps.std).view(-1, 1, 1)
        assert levels.max() <= 1.001 and levels.mean() < 0.01, title


def test_grey_models_see_luminance_and_one_channel():
    steps = Preprocessing(resize=28, crop=28, mean=(0.5,), std=(0.25,))
    seen = steps.model_input(Image.new("RGB", (60, 40), (255, 0, 0)))
    assert (seen.mode, seen.size, steps.channels) == ("L", (28, 28), 1)
    assert steps.to_pixels(seen).shape == (28, 28, 1)
    assert steps.to_pixels(seen).mean() == pytest.approx(76 / 255)  # 0.299 of full red, ITU-R 601
    assert steps.to_tensor(steps.to_pixels(seen))[0, 0, 0, 0].item() == pytest.approx((76 / 255 - 0.5) / 0.25, abs=1e-6)


def test_every_mode_of_picture_becomes_rgb():
    steps = Preprocessing(resize=16, crop=8, mean=(0.0,) * 3, std=(1.0,) * 3)
    for mode in ("L", "P", "RGBA", "CMYK", "1"):
        seen = steps.model_input(Image.new(mode, (20, 30)))
        assert (seen.mode, seen.size) == ("RGB", (8, 8))


def test_the_crop_is_the_centre():
    image = np.zeros((64, 128, 3), np.uint8)
    image[:, 32:96] = 255  # exactly what a centre crop of the full height takes
    steps = Preprocessing(resize=64, crop=64, mean=(0.0,) * 3, std=(1.0,) * 3)
    assert steps.to_pixels(steps.model_input(Image.fromarray(image))).min() == 1.0


def test_tensor_and_pixels_are_inverse_and_leave_their_input():
    steps = Preprocessing(resize=8, crop=8, mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    pixels = np.random.default_rng(0).random((8, 8, 3), dtype=np.float32)
    before = pixels.copy()
    pixels.flags.writeable = False
    tensor = steps.to_tensor(pixels)
    assert tensor[0, 2, 3, 5].item() == pytest.approx((before[3, 5, 2] - 0.3) / 0.7, abs=1e-6)
    original = tensor.clone()
    np.testing.assert_allclose(steps.from_tensor(tensor), before, atol=1e-6)
    assert torch.equal(tensor, original) and np.array_equal(pixels, before)


def test_a_crop_larger_than_the_picture_is_refused_at_once():
    with pytest.raises(ValueError, match="does not fit"):
        Preprocessing(resize=20, crop=28, mean=(0.0,), std=(1.0,))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("resize", "crop"), [(256, 224), (232, 224), (224, 224), (32, 28)])
def test_the_input_is_cut_out_of_the_resized_picture(interpolation, resize, crop):
    """Within two levels of Pillow's, one direction after the other: for tall pictures Pillow 13 changes the order."""
    rng, kind = np.random.default_rng(resize), Image.Resampling[interpolation.upper()]
    squares = [(side, side) for side in rng.integers(12, 700, 12)]
    for width, height in [*squares, (300, 242), (242, 300), (128, 256), (500, 90), (90, 500)]:
        steps = Preprocessing(resize, crop, (0.5,) * 3, (0.5,) * 3, interpolation)
        image = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        size = tuple(int(resize * length / min(image.size)) for length in image.size)
        left, top = (round((length - crop) / 2) for length in size)
        whole = image.resize((size[0], image.height), kind).resize(size, kind)
        expected = np.asarray(whole.crop((left, top, left + crop, top + crop))).astype(int)
        values = steps.input_bytes(image)
        assert values.shape == expected.shape, image.size
        assert np.array_equal(np.asarray(steps.model_input(image)), values), image.size
        difference = np.abs(values - expected)
        assert difference.max() <= 2 and difference.mean() < 0.1, image.size
