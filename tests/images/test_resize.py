"""Resizing by compiled loops: Pillow's own bytes, whatever the sizes, and Pillow itself wherever the loops would give others."""

from __future__ import annotations

import io
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from xai_core.images import read_image, resize, resize_loops
from xai_core.imageset.thumbnails import SIDE, make_thumbnail

FILTERS = [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS]


class Counted:
    """The loops, and how often they were asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, *given) -> None:
        self.calls += 1
        resize_loops.resample(*given)


@pytest.fixture
def loops(monkeypatch) -> Counted:
    counted = Counted()
    monkeypatch.setattr(resize._LOOPS, "ready", counted)
    return counted


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """Full of jumps, so that sums leave 0..255 on both sides and every rounding counts."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 2, (height, width, 3), dtype=np.uint8) * 255)


def pillow(image: Image.Image, size, kind, box) -> np.ndarray:
    return np.asarray(image.resize(size, kind).crop(box))


@pytest.mark.parametrize("kind", FILTERS, ids=lambda kind: kind.name.lower())
def test_every_byte_is_pillows(kind, loops):
    rng, cut = np.random.default_rng(int(kind)), 0
    for _ in range(150):
        width, height = map(int, rng.integers(1, 500, 2))
        factor = float(rng.choice([rng.uniform(0.05, 1), rng.uniform(1, 4)]))
        size = tuple(max(1, int(side * factor)) for side in (width, height))
        left, top = (int(rng.integers(0, side)) for side in size)
        box = (left, top, int(rng.integers(left, size[0])) + 1, int(rng.integers(top, size[1])) + 1)
        image = noise(width, height, width)
        assert np.array_equal(resize.resized(image, size, kind, box), pillow(image, size, kind, box)), (
            image.size,
            size,
            box,
        )
        cut += box != (0, 0, *size)
    assert loops.calls > 90 and cut > 100


@pytest.mark.parametrize("kind", FILTERS, ids=lambda kind: kind.name.lower())
def test_sides_that_change_apart_are_rounded_in_pillows_order(kind, loops):
    """Pillow 13 begins with the columns where the height shrinks much more than the width: the loops cannot, and are not asked."""
    rng, others = np.random.default_rng(int(kind)), 0
    for _ in range(150):
        width, height, wide, high = map(int, rng.integers(2, 300, 4))
        image, requested = noise(width, height, width), loops.calls
        box = (0, 0, wide, high)
        assert np.array_equal(resize.resized(image, (wide, high), kind, box), pillow(image, (wide, high), kind, box)), (
            image.size,
            box,
        )
        others += loops.calls == requested
    assert 20 < others < 130


def test_what_the_loops_cannot_do_is_pillows_work(loops):
    box = (1, 2, 30, 20)
    for image, kind in [(noise(60, 40).convert("L"), Image.Resampling.BICUBIC), (noise(60, 40), Image.Resampling.BOX)]:
        assert np.array_equal(resize.resized(image, (45, 30), kind, box), pillow(image, (45, 30), kind, box))
    for outside in [(-3, 2, 30, 20), (1, 2, 46, 20), (1, 2, 30, 31)]:
        assert np.array_equal(
            resize.resized(noise(60, 40), (45, 30), Image.Resampling.BICUBIC, outside),
            pillow(noise(60, 40), (45, 30), Image.Resampling.BICUBIC, outside),
        )
    large = Image.new("RGB", (4000, 2200), "teal")
    assert resize.resized(large, (40, 22), Image.Resampling.BILINEAR, (0, 0, 40, 22)).shape == (22, 40, 3)
    assert not loops.calls


def test_many_threads_at_once_get_their_own_picture(loops):
    images = [noise(90 + number, 70 + number, number) for number in range(8)]

    def work(number: int) -> bool:
        image = images[number % 8]
        before, box = image.tobytes(), (3, 5, 60, 50)
        result = resize.resized(image, (64, 51), Image.Resampling.BICUBIC, box)
        return (
            np.array_equal(result, pillow(image, (64, 51), Image.Resampling.BICUBIC, box)) and image.tobytes() == before
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(160)))
    assert loops.calls == 160


def test_loops_are_taken_only_if_they_give_pillows_bytes(monkeypatch, caplog):
    right, wrong, resample = resize._Compiled(), resize._Compiled(), resize_loops.resample
    right.make()
    assert right.ready is resample and not caplog.records

    def one_off(pixels, across, down, out) -> None:
        resample(pixels, across, down, out)
        out[-1, -1, 2] ^= 1

    with monkeypatch.context() as patch:
        patch.setattr(resize_loops, "resample", one_off)
        wrong.make()
    assert wrong.ready is None and "Pillow" in caplog.text
    wrong.make()  # not tried again
    assert wrong.ready is None


def test_without_the_compiler_pillow_does_the_work(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "xai_core.images.resize_loops", None)
    without = resize._Compiled()
    without.make()
    assert without.ready is None and "slowly" in caplog.text


def test_compiling_in_the_background_is_begun_once(monkeypatch):
    begun = []

    class Thread:
        def __init__(self, target, name) -> None:
            self.start = lambda: (begun.append(name), target())

    monkeypatch.setattr(resize.threading, "Thread", Thread)
    compiled = resize._Compiled()
    compiled.soon()
    compiled.soon()
    assert begun == ["whybox-resize"] and compiled.ready is not None


@pytest.mark.parametrize("size", [(1600, 1200), (1200, 1600), (1025, 300), (2600, 1900), (600, 1900), (4200, 600)])
def test_a_large_photograph_is_read_to_the_same_bytes(size, loops, monkeypatch):
    stream = io.BytesIO()
    noise(size[0] // 8, size[1] // 8).resize(size).save(stream, "PNG", compress_level=1)
    by_loops, requested = read_image(stream), loops.calls
    monkeypatch.setattr(resize._LOOPS, "ready", None)
    by_pillow = read_image(stream)
    assert max(by_loops.size) == 1024 and by_loops.size == by_pillow.size and by_loops.tobytes() == by_pillow.tobytes()
    assert requested == (size not in {(600, 1900), (4200, 600)}), (
        "tall ones and those that are reduced first are left to Pillow"
    )


@pytest.mark.parametrize("size", [(640, 480), (300, 700), (48, 48), (20, 31)])
def test_a_thumbnail_is_the_middle_square(size):
    width, height = size
    side, image = min(size), Image.new("RGB", size, "red")
    image.paste(Image.new("RGB", (side, side), "blue"), ((width - side) // 2, (height - side) // 2))
    result = make_thumbnail(image)
    assert result.shape == (SIDE, SIDE, 3) and result.dtype == np.uint8
    assert (result[2:-2, 2:-2] == (0, 0, 255)).all()
