"""Pictures of more than 8 bits: scaled by what the file states, else by what is there; and PNG gamma."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from tests.images.picture_files import Array, encode, pixels, png, png_chunk, scene
from xai_core.images import read_image, read_image_file

SIZE = (64, 48)


def ramp(top: int, bits: int = 16) -> Array:
    """Numbers from 0 to `top`, not moved to the upper bits."""
    return (scene()[:, :, 0].astype(np.float64) * top / 255).round().astype(f"uint{bits}")


def deep_png(numbers: Array, *chunks: bytes) -> bytes:
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[numbers.shape[2] if numbers.ndim == 3 else 1]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in numbers)
    return png(*SIZE, 16, colour, rows, *chunks)


def deep_tiff(numbers: Array, **options: object) -> bytes:
    from io import BytesIO

    import tifffile

    out = BytesIO()
    tifffile.imwrite(out, numbers, photometric="rgb" if numbers.ndim == 3 else "minisblack", **options)
    return out.getvalue()


def significant(*bits: int) -> bytes:
    return png_chunk(b"sBIT", bytes(bits))


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("write", [deep_png, deep_tiff])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_fewer_bits_in_16_are_scaled_and_told(bits: int, write: object, channels: int) -> None:
    top = 2**bits - 1
    numbers = ramp(top) if channels == 1 else (scene().astype(np.float64) * top / 255).round().astype(np.uint16)
    if channels == 4:
        numbers = np.dstack([numbers, np.full(numbers.shape[:2], 65_535, np.uint16)])
    expected = scene()[:, :, :1] if channels == 1 else scene()
    file = read_image_file(write(numbers))  # type: ignore[operator]
    assert np.abs(pixels(file.image) - expected).max() <= 1
    assert any(f"{top:,} as white" in note for note in file.notes)


@pytest.mark.parametrize("write", [deep_png, deep_tiff])
def test_full_and_dark_numbers_stay_as_they_are(write: object) -> None:
    colours = scene().astype(np.uint16)
    for numbers, expected in (
        (colours * 257, scene()),
        (colours * 257 // 3, scene() / 3),
        # 8 bits that were spread over 16: dark, and not of fewer bits.
        (colours // 20 * 257, scene() // 20),
        (colours // 20 * 256, scene() // 20),
        (np.zeros_like(colours), scene() * 0),
    ):
        file = read_image_file(write(numbers))  # type: ignore[operator]
        assert np.abs(pixels(file.image) - expected).max() <= 1
        assert not any("as white" in note for note in file.notes)


@pytest.mark.parametrize("bits", [9, 10, 12, 14])
def test_the_bits_that_a_png_states_are_used(bits: int) -> None:
    """As the standard has it, moved to the top; and as cameras write it, at the bottom."""
    top, dark = 2**bits - 1, ramp(2 ** (bits - 2))
    for numbers, white in ((ramp(top), top), (dark, top)):
        got = pixels(read_image(deep_png(numbers, significant(bits))))[:, :, 0]
        assert np.abs(got - numbers * (255 / white)).max() <= 0.51
    for numbers in (ramp(top), dark):
        moved = numbers << (16 - bits)
        for filled in (moved, moved | numbers >> (2 * bits - 16)):
            got = pixels(read_image(deep_png(filled, significant(bits))))[:, :, 0]
            assert np.abs(got - filled / 257).max() <= 0.51
    colours = (scene().astype(np.float64) * top / 1020).round().astype(np.uint16)
    got = pixels(read_image(deep_png(colours, significant(bits, bits, bits))))
    assert np.abs(got - colours * (255 / top)).max() <= 0.51


def test_the_bits_of_alpha_are_not_those_of_colour() -> None:
    opaque = np.full((48, 64), 65_535, np.uint16)
    got = pixels(read_image(deep_png(np.dstack([ramp(600), opaque]), significant(10, 16))))
    assert np.abs(got[:, :, 0] - ramp(600) * (255 / 1023)).max() <= 0.51


def test_the_largest_number_that_a_tiff_states_is_used() -> None:
    numbers = ramp(600)
    for tag, top in ((281, 2000), (341, 800)):
        got = pixels(read_image(deep_tiff(numbers, extratags=[(tag, 3, 1, top, True)])))[:, :, 0]
        assert np.abs(got - numbers * (255 / top)).max() <= 0.51
    # A statement that the numbers contradict says nothing.
    got = pixels(read_image(deep_tiff(numbers, extratags=[(281, 3, 1, 300, True)])))[:, :, 0]
    assert np.abs(got - numbers * (255 / 1023)).max() <= 0.51


def test_clear_numbers_of_16_bits() -> None:
    numbers = ramp(65_535)
    key = int(numbers[0, 10])
    for levels, clear in (
        (numbers, struct.pack(">H", key)),
        (np.dstack([numbers] * 3), struct.pack(">HHH", key, key, key)),
    ):
        got = pixels(read_image(deep_png(levels, png_chunk(b"tRNS", clear))))
        assert (got[:, 10] == 255).all() and (got[:, 9] < 255).all() and (got[:, 11] < 255).all()


def test_grey_with_alpha_of_12_bits() -> None:
    alpha = np.where(np.arange(64) < 32, 65_535, 0).astype(np.uint16)
    got = pixels(read_image(deep_png(np.dstack([ramp(4095), np.tile(alpha, (48, 1))]))))
    assert np.abs(got[:, :32, 0] - scene()[:, :32, 0]).max() <= 1 and (got[:, 32:] == 255).all()


# --- gamma ------------------------------------------------------------------------------------------------------------


def gamma(value: float) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def with_chunks(*chunks: bytes) -> bytes:
    data = encode(Image.fromarray(scene()), "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


@pytest.mark.parametrize("value", [1.0, 0.25, 0.55556, 0.8])
def test_gamma_is_applied_as_browsers_do(value: float) -> None:
    file = read_image_file(with_chunks(gamma(value)))
    assert np.abs(pixels(file.image) - 255 * (scene() / 255) ** (1 / (2.2 * value))).max() <= 0.51
    assert f"gamma {value:.3g}" in file.notes[0] and ("lighter" if value > 0.45 else "darker") in file.notes[0]


@pytest.mark.parametrize(
    "chunks",
    [
        [gamma(0.45455)],
        [gamma(0.46)],
        [gamma(1.0), png_chunk(b"sRGB", b"\0")],
        [gamma(1.0), png_chunk(b"cICP", bytes([1, 13, 0, 1]))],
        [gamma(0)],
        [gamma(20_000)],
        [png_chunk(b"gAMA", b"\0")],
    ],
)
def test_gamma_of_a_screen_and_marked_pictures_change_nothing(chunks: list[bytes]) -> None:
    file = read_image_file(with_chunks(*chunks))
    assert (pixels(file.image) == scene()).all() and file.notes == ()


def test_gamma_leaves_alpha_alone() -> None:
    quads = np.dstack([np.full((20, 20, 3), 100, np.uint8), np.full((20, 20), 128, np.uint8)])
    data = encode(Image.fromarray(quads), "PNG")
    got = pixels(read_image(data[:33] + gamma(1.0) + data[33:]))
    assert np.abs(got - (255 * (100 / 255) ** (1 / 2.2) * 128 / 255 + 127)).max() <= 1.5
