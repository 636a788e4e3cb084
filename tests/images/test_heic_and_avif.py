"""HEIC and AVIF: turned once, the primary picture, the first frame; damaged and hostile files are refused."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, features

from tests.images.picture_files import Array, encode, exif, pixels, png_chunk, refuse, rgb, scene
from tests.images.test_orientation_and_colour import UPRIGHT, swapped_profile
from xai_core.images import read_image, read_image_file


def encode_heic(
    picture: Image.Image, orientation: int = 0, more: tuple[Image.Image, ...] = (), **options: Any
) -> bytes:
    out, file = io.BytesIO(), pillow_heif.from_pillow(picture)
    if orientation:
        file[0].info["exif"] = exif(orientation)
    for another in more:
        file.add_from_pillow(another)
    file.save(out, **{"quality": 95, "primary_index": 0, **options})
    return out.getvalue()


def encode_avif(picture: Image.Image, **options: Any) -> bytes:
    return encode(picture, "AVIF", **{"quality": 95, **options})


def box_scene() -> Array:
    return scene(160, 128)


ENCODERS = {"HEIC": encode_heic, "AVIF": encode_avif}
WAYS: list[tuple[str, dict[str, Any]]] = [
    ("HEIC", {}),
    ("HEIC", {"quality": -1, "chroma": 444}),
    ("HEIC", {"tile_size": 64}),
    ("HEIC", {"more": (Image.new("RGB", (64, 64), "red"),)}),
    ("AVIF", {}),
    ("AVIF", {"save_all": True, "append_images": [Image.new("RGB", (160, 128), "red")]}),
]


@pytest.mark.parametrize(("kind", "options"), WAYS)
def test_the_pixels_are_those_that_were_written(kind: str, options: dict[str, Any]) -> None:
    file = read_image_file(ENCODERS[kind](Image.fromarray(box_scene()), **options))
    assert np.abs(pixels(file.image) - box_scene()).max() <= 12 and file.notes == ()
    assert file.image.info == {} and features.check("avif")


def test_the_primary_picture_of_several() -> None:
    data = encode_heic(Image.fromarray(box_scene()), more=(Image.new("RGB", (64, 64), "red"),), primary_index=1)
    picture = read_image(data)
    assert picture.size == (64, 64) and np.abs(pixels(picture) - [255, 0, 0]).max() <= 8


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
def test_the_orientation_is_applied_once(kind: str, value: int) -> None:
    """Boxes turn the picture; the EXIF that says the same does not turn it again."""
    picture = Image.fromarray(box_scene())
    data = encode_heic(picture, value) if kind == "HEIC" else encode_avif(picture, exif=exif(value))
    expected = UPRIGHT[value](box_scene())
    got = pixels(read_image(data))
    assert got.shape == expected.shape and np.abs(got - expected).max() <= 12


def test_ten_bits_a_channel() -> None:
    deep = pillow_heif.from_bytes("RGB;16", (160, 128), (box_scene().astype(np.uint16) * 257).tobytes())
    out = io.BytesIO()
    deep.save(out, quality=95)
    with pillow_heif.HeifImageFile(io.BytesIO(out.getvalue())) as check:
        assert check.info["bit_depth"] == 10
    assert np.abs(pixels(read_image(out.getvalue())) - box_scene()).max() <= 12


@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
def test_grey_and_alpha(kind: str) -> None:
    grey = box_scene()[:, :, 0]
    assert np.abs(pixels(read_image(ENCODERS[kind](Image.fromarray(grey)))) - grey[:, :, None]).max() <= 8
    alpha = np.broadcast_to(np.linspace(0, 255, 160).astype(np.uint8), (128, 160))
    file = read_image_file(ENCODERS[kind](Image.fromarray(np.dstack([box_scene(), alpha]))))
    share = alpha[:, :, None] / 255
    assert np.abs(pixels(file.image) - (box_scene() * share + 255 * (1 - share))).max() <= 12
    assert file.notes == ("Its transparent parts were filled with white.",)


@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
def test_a_profile_is_applied(kind: str) -> None:
    picture = Image.fromarray(box_scene())
    picture.info["icc_profile"] = swapped_profile()
    got = pixels(read_image(ENCODERS[kind](picture)))
    assert np.abs(got - box_scene()[:, :, [1, 0, 2]]).max() <= 14


def with_codes(data: bytes, primaries: int, transfer: int) -> bytes:
    """The same file with other colour codes."""
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


@pytest.mark.parametrize("kind", ["HEIC", "AVIF", "PNG"])
def test_codes_of_a_wide_screen_are_applied(kind: str) -> None:
    """Pure green of Display P3 lies outside of sRGB; a grey of it is the same grey."""
    for colour, expected in (((0, 255, 0), (0, 255, 0)), ((128, 128, 128), (128, 128, 128)), ((200, 100, 100), None)):
        plain = Image.new("RGB", (64, 64), colour)
        if kind == "PNG":
            data = encode(plain, "PNG")
            data = data[:33] + png_chunk(b"cICP", bytes([12, 13, 0, 1])) + data[33:]
        else:
            data = with_codes(ENCODERS[kind](plain), 12, 13)
        got = pixels(read_image(data)).reshape(-1, 3).mean(axis=0)
        if expected is not None:
            assert np.abs(got - expected).max() <= 3
        else:
            # Redder than the same numbers in sRGB: P3's red is stronger.
            assert got[0] > 207 and got[1] < 97
    usual = encode(plain, "PNG")
    assert (pixels(read_image(usual[:33] + png_chunk(b"cICP", bytes([1, 13, 0, 1])) + usual[33:])) == colour).all()


def test_white_of_a_page_in_pq_is_white() -> None:
    """203 nits of 10,000 are the code 0.58 of PQ (ITU-R BT.2408)."""
    for level, expected in ((0, 0), (148, 255), (255, 255)):
        data = encode(Image.new("RGB", (16, 16), (level,) * 3), "PNG")
        got = pixels(read_image(data[:33] + png_chunk(b"cICP", bytes([9, 16, 0, 1])) + data[33:]))
        assert np.abs(got - expected).max() <= 3


@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
def test_bytes_behind_are_ignored_and_a_cut_file_is_refused(kind: str) -> None:
    data = ENCODERS[kind](Image.fromarray(box_scene()), **({"tile_size": 64} if kind == "HEIC" else {}))
    assert read_image(data + b"x" * 1000).size == (160, 128)
    for share in (0.05, 0.3, 0.6, 0.9, 0.99):
        assert f"This {kind} picture is damaged or was cut off" in refuse(data[: int(len(data) * share)])


@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
@pytest.mark.parametrize("side", [7100, 20_000, 60_000])
def test_a_size_beyond_the_limit_is_refused_before_decoding(kind: str, side: int) -> None:
    data = ENCODERS[kind](rgb())
    at = data.index(b"ispe") + 8
    assert "50 million" in refuse(data[:at] + struct.pack(">II", side, side) + data[at + 8 :])


def test_pixels_larger_than_stated_are_refused() -> None:
    data = encode_heic(Image.new("RGB", (640, 480)))
    at = data.index(b"ispe") + 8
    assert "damaged" in refuse(data[:at] + struct.pack(">II", 64, 48) + data[at + 8 :])


def test_a_film_is_no_photo() -> None:
    assert "video" in refuse(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100))


def test_no_plugin_is_registered_for_the_whole_process() -> None:
    read_image(encode_heic(rgb()))
    assert "HEIF" not in Image.OPEN
