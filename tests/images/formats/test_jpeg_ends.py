"""JPEGs without an end mark, with bytes before or behind, and with rows missing."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.images.picture_files import Array, encode, pixels, refuse
from xai_core.images import read_image, read_image_file

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "baseline": ("RGB", {}),
    "progressive": ("RGB", {"progressive": True}),
    "restarts": ("RGB", {"restart_marker_rows": 2}),
    "grey": ("L", {}),
    "CMYK": ("CMYK", {}),
    "no subsampling": ("RGB", {"subsampling": 0}),
}


def noisy(width: int = 240, height: int = 320) -> Array:
    """A scene with as much detail in every row."""
    return (
        np.random.default_rng(3)
        .integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        .repeat(8, 0)
        .repeat(8, 1)
    )


def jpeg(kind: str) -> bytes:
    mode, options = KINDS[kind]
    return encode(Image.fromarray(noisy()).convert(mode), "JPEG", quality=90, **options)


def rows_that_differ(data: bytes, whole: bytes) -> Array:
    return np.abs(pixels(read_image(data)) - pixels(read_image(whole))).max(axis=(1, 2)) > 8


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_around_a_jpeg_and_a_missing_end_mark_change_nothing(kind: str) -> None:
    whole = jpeg(kind)
    film = b"\0\0\0\x18ftypmp42" + bytes(2000)
    for data in (
        whole[:-2], whole[:-1], whole + bytes(999), whole + b"\xff\xd9" * 3, whole + film, whole + whole,
        b"\r\n" * 9 + whole, bytes(200) + whole, b"\xff\xff" + whole,
    ):  # fmt: skip
        file = read_image_file(data)
        assert (pixels(file.image) == pixels(read_image(whole))).all() and file.notes == ()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "progressive"])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9", b"\xff\xd9\xff\xd9"])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_missing_rows_are_stated(kind: str, end: bytes, share: float) -> None:
    """The share in the note is that of the rows that differ from the whole picture's."""
    whole = jpeg(kind)
    data = whole[: int(len(whole) * share)] + end
    (note,) = read_image_file(data).notes
    stated = int(re.search(r"lowest (\d+) %", note)[1]) / 100  # type: ignore[index]
    differ = rows_that_differ(data, whole)
    assert abs(stated - differ.mean()) <= 0.06 and not differ[: int(len(differ) * (0.94 - stated))].any()
    assert 0.1 < differ.mean() < 0.7


def test_a_progressive_jpeg_without_its_last_scans_is_whole_but_coarse() -> None:
    whole = jpeg("progressive")
    for end in (b"", b"\xff\xd9"):
        (note,) = read_image_file(whole[: len(whole) // 2] + end).notes
        assert "less sharp" in note


@pytest.mark.parametrize("kind", KINDS)
def test_nearly_all_missing_is_refused(kind: str) -> None:
    whole = jpeg(kind)
    start = whole.index(b"\xff\xda") + 14
    for length in (30, start // 2, start + 20, start + (len(whole) - start) // 40):
        assert "damaged or was cut off" in refuse(whole[:length])


def test_a_grey_picture_lacks_nothing() -> None:
    """The decoder fills missing rows with the same grey."""
    data = encode(Image.new("RGB", (64, 64), (128, 128, 128)), "JPEG")
    assert not any("missing" in note for note in read_image_file(data).notes)


def test_a_second_picture_behind_may_be_cut() -> None:
    first = Image.fromarray(noisy())
    data = encode(first, "MPO", save_all=True, append_images=[first.rotate(180)], quality=90)
    for part in (data, data[:-500], data + bytes(500)):
        file = read_image_file(part)
        assert (pixels(file.image) == pixels(read_image(data))).all() and file.notes == ()


def test_a_start_mark_deep_inside_is_no_jpeg() -> None:
    assert "not a picture" in refuse(bytes(2000) + jpeg("baseline"))
    assert "PDF" in refuse(b"%PDF-1.7\n" + jpeg("baseline"))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_bytes_behind_other_formats_change_nothing(kind: str) -> None:
    whole = encode(Image.fromarray(noisy()), kind, **({"lossless": True} if kind == "WEBP" else {}))
    for tail in (bytes(500), b"<html>", whole):
        assert (pixels(read_image(whole + tail)) == pixels(read_image(whole))).all()


def test_a_png_without_its_end_chunk_is_whole() -> None:
    whole = encode(Image.fromarray(noisy()), "PNG")
    for missing in (1, 12, 16):
        assert (pixels(read_image(whole[:-missing])) == noisy()).all()
