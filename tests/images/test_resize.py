"""Resizing by torch against Pillow: within two levels whatever the sizes; stored pictures to the last bit."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from tests.zoo_networks import zoo_model
from xai_core.images import SAMPLES, read_image, resize as resize_module
from xai_core.images.resize import resize
from xai_core.imageset.runs import disk
from xai_core.imageset.thumbnails import SIDE, make_thumbnail
from xai_core.methods.run import explain as explain_module

FILTERS = ["bilinear", "bicubic"]


def noise(width: int, height: int, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """Full of jumps, so that sums leave 0..255 on both sides and every rounding counts."""
    return Image.fromarray(
        np.random.default_rng(seed).integers(0, 2, (height, width, 3), dtype=np.uint8) * 255
    ).convert(mode)


def pillow(image: Image.Image, size: tuple[int, int], by: str) -> np.ndarray:
    """Along the rows first, as torch does.

    Pillow 13 begins with the columns where it is mostly the height that shrinks.
    """
    kind = Image.Resampling[by.upper()]
    result = np.asarray(image.resize((size[0], image.height), kind).resize(size, kind))
    return result.reshape(size[1], size[0], -1)


@pytest.mark.parametrize("by", FILTERS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_noise_of_any_size_is_within_two_levels_of_pillow(mode, by):
    rng, apart = np.random.default_rng(7), []
    for _ in range(120):
        width, height = map(int, rng.integers(1, 400, 2))
        factor = float(rng.choice([rng.uniform(0.05, 1), rng.uniform(1, 3)]))
        size = max(1, int(width * factor)), max(1, int(height * factor))
        image = noise(width, height, width, mode)
        result, expected = resize(image, size, by), pillow(image, size, by)
        assert result.shape == expected.shape and result.dtype == np.uint8
        difference = np.abs(result.astype(int) - expected)
        assert difference.max() <= 2, (image.size, size)
        apart.append(difference.mean())
    assert np.mean(apart) < 0.01


@pytest.mark.parametrize("by", FILTERS)
@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket"])
def test_a_photograph_is_pillows_own_or_one_level_beside(name, by):
    image = SAMPLES.get(name).load()
    for shorter in (232, 256, 288):
        size = tuple(int(shorter * side / min(image.size)) for side in image.size)
        difference = np.abs(
            resize(image, size, by).astype(int) - np.asarray(image.resize(size, Image.Resampling[by.upper()]))
        )
        assert difference.max() <= 2 and (difference > 1).mean() < 1e-4 and difference.mean() < 0.01


@pytest.mark.parametrize("by", FILTERS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_its_own_size_and_one_colour_stay_as_they_are(mode, by):
    image = noise(61, 47, mode=mode)
    assert np.array_equal(resize(image, image.size, by), np.asarray(image).reshape(47, 61, -1))
    assert (resize(Image.new(mode, (300, 200), "white"), (96, 64), by) == 255).all()


def test_many_threads_at_once_get_their_own_picture():
    images = [noise(90 + number, 70 + number, number) for number in range(8)]
    alone = [resize(image, (64, 51), "bicubic") for image in images]

    def work(number: int) -> bool:
        image = images[number % 8]
        before = image.tobytes()
        return np.array_equal(resize(image, (64, 51), "bicubic"), alone[number % 8]) and image.tobytes() == before

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(160)))


@pytest.mark.parametrize("size", [(1600, 1200), (1025, 300), (600, 1900), (4200, 600)])
def test_a_large_photograph_is_kept_as_pillow_shrinks_it(size):
    stream, image = io.BytesIO(), noise(size[0] // 8, size[1] // 8).resize(size)
    image.save(stream, "PNG", compress_level=1)
    result = read_image(stream)
    assert (
        max(result.size) == 1024
        and result.tobytes() == image.resize(result.size, Image.Resampling.LANCZOS, reducing_gap=2.0).tobytes()
    )


@pytest.mark.parametrize("size", [(640, 480), (300, 700), (48, 48), (20, 31)])
def test_a_thumbnail_is_the_middle_square(size):
    width, height = size
    side, image = min(size), Image.new("RGB", size, "red")
    image.paste(Image.new("RGB", (side, side), "blue"), ((width - side) // 2, (height - side) // 2))
    result = make_thumbnail(image)
    assert result.shape == (SIDE, SIDE, 3) and result.dtype == np.uint8
    assert (result[2:-2, 2:-2] == (0, 0, 255)).all()


def test_what_was_computed_from_other_bytes_has_another_id(monkeypatch):
    model, image = zoo_model("resnet18"), noise(40, 40)
    assert disk.RESIZE_VERSION == explain_module.RESIZE_VERSION == resize_module.VERSION
    ids = [explain_module.plan(model, image, "saliency").id, disk.make_run_id("set", model, "layer", "")]
    monkeypatch.setattr(explain_module, "RESIZE_VERSION", resize_module.VERSION - 1)
    monkeypatch.setattr(disk, "RESIZE_VERSION", resize_module.VERSION - 1)
    older = [explain_module.plan(model, image, "saliency").id, disk.make_run_id("set", model, "layer", "")]
    assert not set(ids) & set(older)
