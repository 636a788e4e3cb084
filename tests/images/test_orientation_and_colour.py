"""Orientation, colour profiles, metadata and size of pictures that are read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.images.picture_files import Array, encode, exif, pixels, rgb, scene
from xai_core.images import read_image

UPRIGHT: dict[int, Callable[[Array], Array]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: np.rot90(a, 2),
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "TIFF lzw", "WEBP", "JPEG"])
def test_exif_orientation_is_applied_once(kind: str, value: int) -> None:
    options: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 95},
        "TIFF lzw": {"compression": "tiff_lzw"},
    }
    got = pixels(read_image(encode(rgb(), kind.split()[0], exif=exif(value), **options.get(kind, {}))))
    expected = UPRIGHT[value](scene())
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= (12 if kind == "JPEG" else 0)


def test_orientation_of_a_large_picture() -> None:
    data = encode(Image.fromarray(scene(3000, 1500)), "JPEG", exif=exif(6), quality=90)
    picture = read_image(data)
    assert picture.size == (512, 1024)
    assert np.abs(pixels(picture) - np.rot90(scene(1024, 512), -1)).max() <= 12


@pytest.mark.parametrize("value", [0, 9, 255, 65535])
def test_an_unknown_orientation_changes_nothing(value: int) -> None:
    assert (pixels(read_image(encode(rgb(), "PNG", exif=exif(value)))) == scene()).all()


def test_damaged_exif_never_costs_the_picture() -> None:
    whole, rng = exif(1), np.random.default_rng(1)
    for turn in range(300):
        bad = bytearray(whole)
        for at in rng.integers(6, len(bad), size=1 + turn % 6):
            bad[at] = rng.integers(256)
        for kind, tolerance in (("JPEG", 12), ("PNG", 0), ("WEBP", 0)):
            data = encode(
                rgb(),
                kind,
                exif=bytes(bad[: len(bad) - turn % 7]),
                **({"lossless": True} if kind == "WEBP" else {"quality": 95}),
            )
            got = pixels(read_image(data))
            assert any(
                got.shape == u(scene()).shape and np.abs(got - u(scene())).max() <= tolerance for u in UPRIGHT.values()
            )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_huge_exif_is_no_trouble(kind: str) -> None:
    tags = Image.Exif()
    tags[0x010E] = "x" * 60_000
    tags[0x0112] = 3
    got = pixels(
        read_image(
            encode(rgb(), kind, exif=tags.tobytes(), **({"lossless": True} if kind == "WEBP" else {"quality": 95}))
        )
    )
    assert np.abs(got - scene()[::-1, ::-1]).max() <= 12


def test_a_resolution_in_exif_that_is_no_number_never_costs_the_picture() -> None:
    tags = Image.Exif()
    tags[0x0128], tags[0x011A] = 2, (72, 1)
    bad = bytearray(tags.tobytes())
    at = bad.index(b"\x01\x1a" if b"MM" in bad[:9] else b"\x1a\x01")
    bad[at + 2 : at + 4] = bad[at + 2 : at + 4].replace(b"\x05", b"\x02")  # a fraction becomes text
    bad[at + 4 : at + 8] = struct.pack(">I" if b"MM" in bad[:9] else "<I", 1)
    assert np.abs(pixels(read_image(encode(rgb(), "JPEG", exif=bytes(bad), quality=95))) - scene()).max() <= 12


def test_nothing_else_of_the_upload_is_kept() -> None:
    text = PngInfo()
    text.add_text("Author", "somebody")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for data in (
        encode(rgb(), "PNG", exif=exif(6), pnginfo=text, icc_profile=profile, dpi=(72, 72)),
        encode(rgb(), "JPEG", exif=exif(3), comment=b"secret", icc_profile=profile, dpi=(72, 72)),
        encode(rgb(), "TIFF", exif=exif(1)),
        encode(rgb(), "GIF", comment=b"secret"),
    ):
        picture = read_image(data)
        assert type(picture) is Image.Image and picture.info == {} and not picture.getexif() and picture.format is None
        assert b"secret" not in encode(picture, "PNG") and b"somebody" not in encode(picture, "PNG")


def swapped_profile() -> bytes:
    """An sRGB profile whose red and green primaries changed places."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = {bytes(profile[i : i + 4]): i for i in range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12)}
    red, green = at[b"rXYZ"] + 4, at[b"gXYZ"] + 4
    profile[red : red + 8], profile[green : green + 8] = profile[green : green + 8], profile[red : red + 8]
    return bytes(profile)


def test_an_embedded_profile_is_applied() -> None:
    profile = swapped_profile()
    kinds: dict[str, dict[str, Any]] = {"PNG": {}, "JPEG": {"quality": 95}, "WEBP": {"lossless": True}, "TIFF": {}}
    for kind, options in kinds.items():
        got = pixels(read_image(encode(rgb(), kind, icc_profile=profile, **options)))
        assert np.abs(got - scene()[:, :, [1, 0, 2]]).max() <= (14 if kind == "JPEG" else 3)


@pytest.mark.parametrize(
    "profile", [b"x", b"\0" * 128, swapped_profile()[:200], swapped_profile().replace(b"RGB ", b"GRAY"), b"\xff" * 5000]
)
def test_a_damaged_or_unfitting_profile_is_ignored(profile: bytes) -> None:
    assert (pixels(read_image(encode(rgb(), "PNG", icc_profile=profile))) == scene()).all()


@pytest.mark.parametrize(
    ("size", "expected_size"),
    [((1025, 600), (1024, 599)), ((600, 3000), (205, 1024)), ((4000, 100), (1024, 26)), ((1024, 26), (1024, 26))],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_large_pictures_are_shrunk(kind: str, size: tuple[int, int], expected_size: tuple[int, int]) -> None:
    assert read_image(encode(Image.new("RGB", size, "teal"), kind)).size == expected_size


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "I;16", "CMYK", "1", "F"])
def test_every_mode_is_shrunk_without_a_change_of_colour(mode: str) -> None:
    whole = (
        Image.fromarray(np.full((1100, 2200), 120 * 257, np.uint16))
        if mode == "I;16"
        else Image.new("L", (2200, 1100), 120)
    )
    picture = whole if mode == "I;16" else whole.convert(mode) if mode != "1" else Image.new("1", (2200, 1100), 1)
    got = read_image(encode(picture, "TIFF"))
    assert got.size == (1024, 512)
    assert np.abs(pixels(got) - (255 if mode == "1" else 120)).max() <= 1


def test_a_shrunk_scene_is_the_scene() -> None:
    for kind in ("JPEG", "PNG"):
        got = pixels(read_image(encode(Image.fromarray(scene(4096, 3072)), kind)))
        assert np.abs(got - scene(1024, 768)).max() <= 10
