"""Formats, modes and sources of pictures: each is read as what it shows."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.images.picture_files import Array, encode, pixels, png, png_chunk, rgb, scene, tiff
from xai_core.images import image_sha256, read_image


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("GIF", {}, 40),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "tiff_adobe_deflate"}, 0),
        ("TIFF", {"compression": "jpeg"}, 30),
        ("WEBP", {"quality": 95}, 12),
        ("JPEG", {"quality": 95}, 12),
        ("JPEG", {"quality": 95, "progressive": True}, 12),
    ],
)
def test_every_format_gives_its_pixels(kind: str, options: dict[str, Any], tolerance: int) -> None:
    picture = read_image(encode(rgb(), kind, **options))
    assert picture.mode == "RGB" and picture.size == (64, 48)
    assert np.abs(pixels(picture) - scene()).max() <= tolerance


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "GIF", "BMP", "WEBP", "JPEG"])
def test_grey_stays_grey(kind: str) -> None:
    grey = scene()[:, :, 0]
    got = pixels(read_image(encode(Image.fromarray(grey), kind)))
    assert np.abs(got - grey[:, :, None]).max() <= (6 if kind in ("WEBP", "JPEG") else 0)


def test_black_and_white() -> None:
    bits = Image.fromarray(scene()[:, :, 0]).convert("1")
    for kind in ("PNG", "TIFF", "BMP", "GIF"):
        assert (pixels(read_image(encode(bits, kind)))[:, :, 1] == np.asarray(bits) * 255).all()


def test_the_first_frame_of_gif_tiff_webp_and_png() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "lime", "blue")]
    for kind, options in (("GIF", {}), ("TIFF", {}), ("WEBP", {"lossless": True}), ("PNG", {})):
        data = encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        with Image.open(io.BytesIO(data)) as check:
            assert getattr(check, "n_frames", 1) == 3
        assert (pixels(read_image(data)) == [255, 0, 0]).all()


def test_a_jpeg_with_a_second_picture_inside() -> None:
    data = encode(rgb(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48), "lime")], quality=95)
    assert np.abs(pixels(read_image(data)) - scene()).max() <= 12


def test_palette_with_one_clear_colour_and_with_many_half_clear_ones() -> None:
    palette = Image.fromarray((np.arange(16 * 16) % 4).reshape(16, 16).astype(np.uint8), mode="P")
    palette.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200, 40, 40, 40])
    expected = {0: [200, 0, 0], 1: [0, 200, 0], 2: [255, 255, 255], 3: [40, 40, 40]}
    for kind in ("PNG", "GIF"):
        got = pixels(read_image(encode(palette, kind, transparency=2)))
        assert all((got.reshape(-1, 3)[i] == expected[i % 4]).all() for i in range(256)), kind
    got = pixels(read_image(encode(palette, "PNG", transparency=bytes([255, 128, 0, 51])))).reshape(-1, 3)
    by_hand = [[200, 0, 0], [127, 227, 127], [255, 255, 255], [212, 212, 212]]  # 255 + (c - 255) a / 255
    assert np.abs(got[:4] - by_hand).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_alpha_is_laid_on_white(kind: str) -> None:
    alpha = np.broadcast_to(np.linspace(0, 255, 64).astype(np.uint8), (48, 64))
    data = encode(
        Image.fromarray(np.dstack([scene(), alpha])),
        kind,
        **({"lossless": True, "exact": True} if kind == "WEBP" else {}),
    )
    share = alpha[:, :, None] / 255
    assert np.abs(pixels(read_image(data)) - (scene() * share + 255 * (1 - share))).max() <= 1


def test_grey_with_alpha_and_hidden_colours() -> None:
    both = np.dstack([np.full((20, 20), 100), np.full((20, 20), 51)]).astype(np.uint8)
    assert np.abs(pixels(read_image(encode(Image.fromarray(both, "LA"), "PNG"))) - (100 * 0.2 + 255 * 0.8)).max() <= 1
    half = np.zeros((48, 64), np.uint8)
    half[:, :32] = 255
    assert (pixels(read_image(encode(Image.fromarray(np.dstack([scene(), half])), "PNG")))[:, 32:] == 255).all()


def test_clear_colour_of_grey_and_of_colour_png() -> None:
    rows = b"".join(b"\0" + bytes([10] * 4 + [90] * 4) for _ in range(8))
    got = pixels(read_image(png(8, 8, 8, 0, rows, png_chunk(b"tRNS", b"\0\x5a"))))
    assert (got[:, :4] == 10).all() and (got[:, 4:] == 255).all()
    rows = b"".join(b"\0" + bytes([1, 2, 3] * 4 + [9, 9, 9] * 4) for _ in range(8))
    got = pixels(read_image(png(8, 8, 8, 2, rows, png_chunk(b"tRNS", b"\0\x01\0\x02\0\x03"))))
    assert (got[:, :4] == 255).all() and (got[:, 4:] == 9).all()


def test_clear_edges_of_a_shrunk_picture_are_not_darkened() -> None:
    colour = np.zeros((1200, 1600, 4), np.uint8)  # clear black ...
    colour[:, 801:] = [200, 200, 200, 255]  # ... beside light grey: on white nothing is darker than that
    assert pixels(read_image(encode(Image.fromarray(colour), "PNG", compress_level=1))).min() >= 199


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_not_inverted(kind: str) -> None:
    inks = np.zeros((32, 32, 4), np.uint8)
    inks[:16, :16, 0] = inks[:16, 16:, 1] = inks[16:, :16, 2] = inks[16:, 16:, 3] = 255
    data = encode(Image.fromarray(inks, "CMYK"), kind, **({"quality": 95} if kind == "JPEG" else {}))
    assert kind != "JPEG" or b"Adobe" in data  # Adobe's JPEGs store ink the other way round
    got = pixels(read_image(data))
    expected = [[0, 255, 255], [255, 0, 255], [255, 255, 0], [0, 0, 0]]
    for corner, colour in zip([got[4, 4], got[4, 27], got[27, 4], got[27, 27]], expected, strict=True):
        assert np.abs(corner - colour).max() <= 20


def test_16_bit_grey_keeps_order_and_is_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 64 * 32).astype(np.uint16).reshape(32, 64)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in ramp)
    big = Image.frombytes("I;16B", (64, 32), ramp.astype(">u2").tobytes())
    files = [png(64, 32, 16, 0, rows), encode(Image.fromarray(ramp), "TIFF"), encode(big, "TIFF")]
    for data in files:
        got = pixels(read_image(data))[:, :, 0]
        assert np.abs(got - ramp / 257).max() <= 0.51
        assert (np.diff(got.ravel()) >= 0).all() and len(np.unique(got)) == 256


def test_a_dark_16_bit_picture_stays_dark() -> None:
    dark = np.full((16, 16), 2570, np.uint16)
    assert (pixels(read_image(encode(Image.fromarray(dark), "TIFF"))) == 10).all()


def test_16_bit_tiff_whose_zero_is_white() -> None:
    ramp = np.linspace(0, 65535, 256).astype("<u2").reshape(16, 16)
    tags = {
        256: (3, 16),
        257: (3, 16),
        258: (3, 16),
        259: (3, 1),
        262: (3, 0),
        273: (4, 8),
        277: (3, 1),
        278: (3, 16),
        279: (4, 512),
    }
    assert np.abs(pixels(read_image(tiff(tags, ramp.tobytes())))[:, :, 0] - (255 - ramp / 257)).max() <= 0.51


def test_16_bit_colour_and_alpha() -> None:
    colour = np.tile(np.array([0x1234, 0x8000, 0xFEDC], ">u2"), (16, 16, 1))
    rows = b"".join(b"\0" + row.tobytes() for row in colour)
    assert np.abs(pixels(read_image(png(16, 16, 16, 2, rows))) - [0x12, 0x80, 0xFE]).max() <= 1
    rows = b"".join(b"\0" + np.tile(np.array([0x6400, 0x3300], ">u2"), 16).tobytes() for _ in range(16))
    assert np.abs(pixels(read_image(png(16, 16, 16, 4, rows))) - (100 * 0.2 + 255 * 0.8)).max() <= 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.linspace(0, 1, 256, dtype=np.float32), np.linspace(0, 255, 256)),
        (np.arange(256, dtype=np.float32), np.arange(256)),
        (np.linspace(0, 65535, 256, dtype=np.float32), np.linspace(0, 255, 256)),
        (np.linspace(-3, 5, 256, dtype=np.float32), np.linspace(0, 255, 256)),
        (np.arange(256, dtype=np.int32) * 257, np.arange(256)),
        (np.arange(256, dtype=np.int32) * 100_000, np.arange(256)),
        (np.array([np.nan, np.inf, 0, 0.5] * 64, dtype=np.float32), np.array([0, 0, 0, 127.5] * 64)),
        (np.zeros(256, dtype=np.float32), np.zeros(256)),
        (np.full(256, -7.0, dtype=np.float32), np.zeros(256)),
    ],
)
def test_32_bit_numbers_are_scaled_by_their_range(values: Array, expected: Array) -> None:
    got = pixels(read_image(encode(Image.fromarray(values.reshape(16, 16)), "TIFF")))[:, :, 0].ravel()
    assert np.abs(got - expected).max() <= 0.51


class Trickle(io.RawIOBase):
    """A stream that cannot seek and gives a few bytes at a time, as a socket does; counts what was read."""

    def __init__(self, data: bytes, at_once: int) -> None:
        self.stream, self.at_once, self.taken = io.BytesIO(data), at_once, 0

    def read(self, size: int = -1) -> bytes:
        part = self.stream.read(min(size, self.at_once))
        self.taken += len(part)
        return part

    def seekable(self) -> bool:
        return False


def test_path_bytes_and_streams_give_the_same(tmp_path: Path) -> None:
    data = encode(rgb(), "PNG")
    path = tmp_path / "pícture with space.bin"  # the name's ending plays no part
    path.write_bytes(data)
    opened = io.BytesIO(data)
    opened.seek(0, io.SEEK_END)  # as an uploaded file stands after it was read once
    sources: list[Any] = [path, str(path), data, bytearray(data), memoryview(data), opened, opened, Trickle(data, 7)]
    assert {image_sha256(read_image(source)) for source in sources} == {image_sha256(rgb())}
    assert not opened.closed
    with path.open("rb") as file:
        assert image_sha256(read_image(file)) == image_sha256(rgb())


def test_the_hash_is_of_size_and_pixels() -> None:
    assert image_sha256(rgb()) == hashlib.sha256(b"64x48:" + scene().tobytes()).hexdigest()
    assert image_sha256(Image.new("RGB", (10, 20))) != image_sha256(Image.new("RGB", (20, 10)))
    assert image_sha256(Image.new("L", (9, 9), 7)) == image_sha256(Image.new("RGB", (9, 9), (7, 7, 7)))
