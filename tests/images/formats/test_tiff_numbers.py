"""TIFFs of fractions, many bands, bands in planes, large offsets: read as they are, or refused for what they are."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import tifffile

from tests.images.picture_files import Array, pixels, refuse, scene, tiff
from xai_core.images import read_image, read_image_file

ORDERS = ["<", ">"]


def write(numbers: Array, **options: Any) -> bytes:
    out = BytesIO()
    tifffile.imwrite(out, numbers, **{"photometric": "rgb" if numbers.ndim == 3 else "minisblack", **options})
    return out.getvalue()


def colours(kind: str) -> Array:
    """The scene as numbers of this type, in the range that is usual for it."""
    if kind.startswith("float"):
        return (scene() / 255).astype(kind)
    return scene().astype(kind) * (257 if kind == "uint16" else 1)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "uint8", "uint16", "uint32"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"compression": "zlib"}, {"tile": (32, 32)}], ids=str)
def test_colour_of_every_kind_of_number(order: str, kind: str, planes: str, options: dict[str, Any]) -> None:
    numbers = colours(kind)
    numbers = np.moveaxis(numbers, 2, 0) if planes == "separate" else numbers
    data = write(numbers, photometric="rgb", planarconfig=planes, byteorder=order, **options)
    assert np.abs(pixels(read_image(data)) - scene()).max() <= 1


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "uint8", "uint16", "uint32", "int16", "int32"])
def test_grey_of_every_kind_of_number(order: str, kind: str) -> None:
    grey = colours(kind)[:, :, 0]
    assert np.abs(pixels(read_image(write(grey, byteorder=order)))[:, :, 0] - scene()[:, :, 0]).max() <= 1


@pytest.mark.parametrize("kind", ["int16", "float64"])
def test_numbers_below_zero_run_from_black_to_white(kind: str) -> None:
    grey = scene()[:, :, 0].astype(kind) * 4 - 300
    file = read_image_file(write(grey))
    assert np.abs(pixels(file.image)[:, :, 0] - scene()[:, :, 0]).max() <= 1
    assert file.notes == ("The numbers in this picture run from −300 to 720: −300 is shown as black and 720 as white.",)


def test_large_numbers_of_32_bits_have_no_sign() -> None:
    grey = scene()[:, :, 0].astype(np.uint32) * 16_000_000
    assert np.abs(pixels(read_image(write(grey)))[:, :, 0] - scene()[:, :, 0]).max() <= 1


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("count", [5, 7])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_of_many_bands_the_first_three_are_shown(planes: str, count: int, kind: str) -> None:
    numbers = np.dstack([colours(kind), np.zeros((48, 64, count - 3), kind)])
    numbers = np.moveaxis(numbers, 2, 0) if planes == "separate" else numbers
    file = read_image_file(write(numbers, photometric="rgb", planarconfig=planes))
    assert np.abs(pixels(file.image) - scene()).max() <= 1
    assert any("band" in note for note in file.notes)


def test_a_number_for_no_value_does_not_count() -> None:
    grey = scene()[:, :, 0].astype(np.float32) / 255
    grey[0, 0] = -9999
    got = pixels(read_image(write(grey, extratags=[(42113, 2, 6, "-9999", True)])))[:, :, 0]
    assert got[0, 0] == 0 and np.abs(got - scene()[:, :, 0]).ravel()[1:].max() <= 1


def test_a_directory_of_too_many_tags_is_seen_in_either_order() -> None:
    for data in (
        b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**62) + bytes(90_000),
        b"MM\0+\0\x08\0\0" + struct.pack(">QQ", 16, 2**62) + bytes(90_000),
    ):
        assert "so many small pieces" in refuse(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (write(np.zeros((48, 64, 3), np.complex64)), "complex"),
        (
            write(np.zeros((16, 48, 64), np.float64), photometric="minisblack", volumetric=True, tile=(16, 16, 16)),
            "layers",
        ),
    ],
)
def test_a_kind_that_is_not_read_is_refused_for_what_it_is(data: bytes, words: str) -> None:
    text = refuse(data)
    assert words in text and "not damaged" in text


def test_an_unknown_packing_is_refused_for_what_it_is() -> None:
    body = bytes(9000)
    tags = {256: (3, 64), 257: (3, 48), 258: (3, 8), 259: (3, 34712), 262: (3, 1), 273: (4, 8), 277: (3, 1)}
    text = refuse(tiff({**tags, 278: (3, 48), 279: (4, len(body))}, body))
    assert "JPEG 2000" in text and "not damaged" in text


def test_packed_fractions_are_refused_for_what_they_are() -> None:
    body = bytes(64 * 48 * 12)
    tags = {256: (3, 64), 257: (3, 48), 258: (3, 32), 259: (3, 5), 262: (3, 2), 273: (4, 8), 277: (3, 3)}
    text = refuse(tiff({**tags, 278: (3, 48), 279: (4, len(body)), 339: (3, 3)}, body))
    assert "LZW" in text and "fractions" in text and "not damaged" in text


def test_a_cut_or_overfull_file_is_damaged() -> None:
    whole = write(colours("float32"))
    for share in (0.1, 0.5, 0.95):
        assert "damaged" in refuse(whole[: int(len(whole) * share)])
    packed = zlib.compress(bytes(20_000_000))
    tags = {256: (3, 64), 257: (3, 48), 258: (3, 64), 259: (3, 8), 262: (3, 1), 273: (4, 8), 277: (3, 1)}
    assert "damaged" in refuse(tiff({**tags, 278: (3, 48), 279: (4, len(packed)), 339: (3, 3)}, packed))
