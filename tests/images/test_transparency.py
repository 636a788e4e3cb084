"""Transparency that is none, and drawings that would vanish on white."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.images.picture_files import Array, encode, pixels, png, scene
from xai_core.images import read_image, read_image_file

IGNORED = "Its transparency hides every pixel, so it was ignored."
NOT_ALPHA = "It has a fourth band that is not transparency (infrared, perhaps): that band was left out."


def bmp(header: int, alpha: int) -> bytes:
    """A BMP of 32 bits with the header of this many bytes and, where it has one, a mask for alpha."""
    height, width, _ = scene().shape
    quads = np.dstack([scene()[:, :, ::-1], np.full((height, width), alpha, np.uint8)])
    body = quads[::-1].tobytes()
    head = struct.pack("<IiiHHIIiiII", header, width, height, 1, 32, 3 if header > 40 else 0, len(body), 0, 0, 0, 0)
    if header > 40:
        head += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    head = head.ljust(header, b"\0")
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(body), 0, 0, 14 + len(head)) + head + body


@pytest.mark.parametrize("header", [40, 56, 108, 124])
@pytest.mark.parametrize("alpha", [0, 1, 255])
def test_a_bmp_with_an_empty_alpha_shows_its_colours(header: int, alpha: int) -> None:
    file = read_image_file(bmp(header, alpha))
    assert (pixels(file.image) == scene()).all()
    assert file.notes == ((IGNORED,) if header > 40 and alpha < 255 else ())


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})])
def test_alpha_of_zero_everywhere_is_ignored(kind: str, options: dict[str, Any]) -> None:
    file = read_image_file(encode(Image.fromarray(np.dstack([scene(), np.zeros((48, 64), np.uint8)])), kind, **options))
    assert (pixels(file.image) == scene()).all() and file.notes == (IGNORED,)


def test_alpha_of_zero_everywhere_in_other_modes() -> None:
    grey, none = scene()[:, :, 0], np.zeros((48, 64), np.uint8)
    file = read_image_file(encode(Image.fromarray(np.dstack([grey, none]), "LA"), "PNG"))
    assert (pixels(file.image) == grey[:, :, None]).all() and IGNORED in file.notes
    palette = Image.fromarray(scene()).quantize(16)
    file = read_image_file(encode(palette, "PNG", transparency=bytes(16)))
    assert (pixels(file.image) == pixels(palette.convert("RGB"))).all() and IGNORED in file.notes
    deep = np.dstack([scene(), none]).astype(">u2") * 257
    file = read_image_file(png(64, 48, 16, 6, b"".join(b"\0" + row.tobytes() for row in deep)))
    assert (pixels(file.image) == scene()).all() and IGNORED in file.notes


def drawing(colour: tuple[int, int, int], alpha: int = 255) -> Array:
    quads = np.zeros((48, 64, 4), np.uint8)
    quads[12:36, 16:48] = (*colour, alpha)
    return quads


@pytest.mark.parametrize(
    ("colour", "ground"),
    [
        ((255, 255, 255), "grey"),
        ((250, 250, 245), "grey"),
        ((0, 0, 0), "white"),
        ((128, 128, 128), "white"),
        ((255, 0, 0), "white"),
        ((200, 200, 200), "white"),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_a_drawing_stays_visible_and_its_ground_is_told(colour: tuple[int, int, int], ground: str, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    file = read_image_file(encode(Image.fromarray(drawing(colour)), kind, **options))
    got = pixels(file.image)
    assert (got[0, 0] == {"white": 255, "grey": 128}[ground]).all() and (got[24, 32] == colour).all()
    assert len(file.notes) == 1 and f"filled with {ground}" in file.notes[0]


def test_a_white_drawing_with_a_black_outline_stays_on_white() -> None:
    quads = drawing((255, 255, 255))
    quads[12, 16:48] = quads[35, 16:48] = (0, 0, 0, 255)
    assert (pixels(read_image(encode(Image.fromarray(quads), "PNG")))[0, 0] == 255).all()


def test_a_palette_drawing_in_white_stays_visible() -> None:
    indices = np.zeros((48, 64), np.uint8)
    indices[12:36, 16:48] = 1
    palette = Image.fromarray(indices, "P")
    palette.putpalette([0, 0, 0, 255, 255, 255])
    for kind in ("PNG", "GIF"):
        got = pixels(read_image(encode(palette, kind, transparency=0)))
        assert (got[0, 0] == 128).all() and (got[24, 32] == 255).all()


def test_nothing_to_see_is_told() -> None:
    for quads in (np.zeros((20, 20, 4), np.uint8), np.full((20, 20, 3), 255, np.uint8)):
        assert any("nothing to see" in note for note in read_image_file(encode(Image.fromarray(quads), "PNG")).notes)
    assert read_image_file(encode(Image.fromarray(scene()), "PNG")).notes == ()


def near_infrared_band(low: int, high: int) -> Array:
    return np.broadcast_to(np.linspace(low, high, 64).astype(np.uint8), (48, 64))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize(("low", "high"), [(60, 155), (1, 254)])
def test_infrared_in_a_tiff_is_no_transparency(low: int, high: int, compression: str) -> None:
    data = encode(Image.fromarray(np.dstack([scene(), near_infrared_band(low, high)])), "TIFF", compression=compression)
    file = read_image_file(data)
    assert (pixels(file.image) == scene()).all() and file.notes == (NOT_ALPHA,)


def test_a_fourth_band_that_the_tiff_calls_unspecified_is_left_out() -> None:
    data = encode(Image.fromarray(np.dstack([scene(), near_infrared_band(0, 255)])), "TIFF")
    stated = struct.pack("<HHIHH", 338, 3, 1, 2, 0)
    assert stated in data
    file = read_image_file(data.replace(stated, struct.pack("<HHIHH", 338, 3, 1, 0, 0)))
    assert (pixels(file.image) == scene()).all() and "left out" in file.notes[0]


def test_true_transparency_and_ink_of_a_tiff_stay() -> None:
    alpha = np.where(np.arange(64) < 32, 255, 0).astype(np.uint8)
    got = pixels(read_image(encode(Image.fromarray(np.dstack([scene(), np.tile(alpha, (48, 1))])), "TIFF")))
    assert (got[:, :32] == scene()[:, :32]).all() and (got[:, 32:] == 255).all()
    inks = np.dstack([scene() // 2, near_infrared_band(60, 155)])
    file = read_image_file(encode(Image.fromarray(inks, "CMYK"), "TIFF"))
    assert (pixels(file.image) == pixels(Image.fromarray(inks, "CMYK").convert("RGB"))).all() and file.notes == ()
