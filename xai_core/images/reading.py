"""Untrusted bytes to an upright, opaque RGB picture without metadata, with notes on what was guessed."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base as ExifTag

from xai_core.errors import InvalidImage
from xai_core.images import colour, transparency
from xai_core.images.decode_lock import LARGE_PIXELS, exclusive_decode
from xai_core.images.depth import to_eight_bits
from xai_core.images.formats import heif, jpeg, sixteen_bits, tiff
from xai_core.images.formats.headers import (
    UNSUPPORTED,
    check_directory,
    check_scans,
    declared_size,
    find_format,
    find_signature,
    read_png_chunk,
)
from xai_core.images.formats.opening import OpenedFile, open_with_pillow
from xai_core.images.limits import ALLOWED, BROKEN, TOO_LARGE, check_size
from xai_core.images.sources import read_bytes

Picture = Image.Image

# Longest side that is kept, in pixels: more than any model here looks at.
KEEP_SIDE = 1024
_TILE_TAGS = (322, 323)
# EXIF orientation to the transpose that undoes it.
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


# Pillow's remarks on strangers' files are nobody's to read. Set once, because filters are shared by all threads.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class ImageFile:
    """A picture that was read, and sentences for the visitor on what was guessed, left out or missing."""

    image: Picture
    notes: tuple[str, ...] = ()


def read_image_file(source: str | os.PathLike[str] | bytes | BinaryIO) -> ImageFile:
    """Return an upright RGB picture without metadata, longest side at most 1024 px, with notes on how it was read.

    Size limits are checked on the header, before anything is decoded.

    Raises:
        InvalidImage: with a sentence for the visitor.
    """
    data = jpeg.drop_junk(read_bytes(source))
    notes: list[str] = []
    with _explain_damage(data):
        image = _read(data, notes)
    return ImageFile(image, tuple(notes))


def read_image(source: str | os.PathLike[str] | bytes | BinaryIO) -> Picture:
    """Return the picture of `read_image_file` alone. Raises InvalidImage.

    >>> from io import BytesIO
    >>> png = BytesIO()
    >>> Image.new("RGBA", (20, 10)).save(png, "PNG")
    >>> read_image(png.getvalue()).mode
    'RGB'
    """
    return read_image_file(source).image


def image_sha256(image: Picture) -> str:
    """Return the hex SHA-256 of size and RGB pixels: equal pictures have equal hashes, whatever file they came from.

    >>> image_sha256(Image.new("RGB", (8, 8)))[:8]
    'd789cdc5'
    """
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    return hashlib.sha256(f"{rgb.width}x{rgb.height}:".encode() + rgb.tobytes()).hexdigest()


@contextmanager
def _explain_damage(data: bytes) -> Iterator[None]:
    """Turn exceptions of a decoder into an InvalidImage that a visitor understands."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidImage(TOO_LARGE) from error
    except MemoryError as error:
        raise InvalidImage(
            "This picture needs more memory than this computer has free. Save it smaller and try again."
        ) from error
    except BROKEN as error:
        if kind := find_format(data):
            raise InvalidImage(
                f"This {kind} picture is damaged or was cut off, so it cannot be read to its end. "
                "Save or download it once more, or choose another one."
            ) from error
        kind = find_signature(data.lstrip(b"\xef\xbb\xbf \r\n\t"), UNSUPPORTED)
        looks = f" This file looks like a {kind}." if kind else ""
        raise InvalidImage(f"This file is not a picture that can be read here.{looks} {ALLOWED}") from error


def _read(data: bytes, notes: list[str]) -> Picture:
    if declared := declared_size(data):
        check_size(*declared)
    check_directory(data)
    kind = find_format(data)
    if kind in ("HEIC", "AVIF"):
        heif.check_item_sizes(data)
        heif.check_length(data)
    if kind == "TIFF":
        return _read_tiff(data, notes)
    picture = heif.open_heif(data) if kind == "HEIC" else open_with_pillow(data)
    check_size(*picture.size)
    return _read_jpeg(picture, data, notes) if kind == "JPEG" else _decode(picture, data, notes)


def _read_jpeg(picture: OpenedFile, data: bytes, notes: list[str]) -> Picture:
    """Return the picture of a JPEG, also where its end is missing."""
    check_scans(data, *picture.size)
    try:
        return _decode(picture, data, notes)
    except OSError:
        missing, note = jpeg.describe_missing(data)
        if missing > jpeg.MAX_MISSING:
            raise
    notes[:] = [note] if note else []
    return _decode(open_with_pillow(jpeg.close_file(data)), data, notes)


def _read_tiff(data: bytes, notes: list[str]) -> Picture:
    """Return the picture of a TIFF by Pillow, or by tifffile where Pillow cannot open its kind of numbers."""
    try:
        picture = open_with_pillow(data)
    except UnidentifiedImageError:
        return _convert_numbers(data, notes)
    check_size(*picture.size)
    return _convert_numbers(data, notes) if tiff.is_misread(picture) else _decode(picture, data, notes)


def _convert_numbers(data: bytes, notes: list[str]) -> Picture:
    """Return the picture of a TIFF that tifffile reads."""
    with exclusive_decode((LARGE_PIXELS, 2)):
        numbers, tags, note = tiff.read_numbers(data)
        levels, on_range = to_eight_bits(numbers, tiff.stated_range(tags))
        del numbers
        whole = Image.fromarray(levels)
        small = shrink(whole, _fit(whole.size))
    notes += [text for text in (note, on_range) if text]
    return _finish(small, tags.get(tiff.ORIENTATION, 1), tags.get(tiff.PROFILE), data, notes)


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, KEEP_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrink(image: Picture, size: tuple[int, int]) -> Picture:
    """Return the picture at a smaller size by Lanczos' filter; itself where it has that size.

    Stored results are filed under a hash of these bytes, so they stay Pillow's to the last bit. Pillow premultiplies
    transparency, and reduces a far larger picture by a whole factor first, for memory.
    """
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _decode(picture: OpenedFile, data: bytes, notes: list[str]) -> Picture:
    full_size = picture.size
    if picture.format in ("JPEG", "MPO"):
        # A JPEG is decoded at a half, quarter or eighth where that is enough.
        picture.draft(None, _fit(full_size))
    _check_tiles(picture)
    # Of a progressive JPEG all scans are held in full.
    with exclusive_decode(full_size if "progressive" in picture.info else picture.size):
        heif.load(picture)
        # After load: a TIFF has turned itself by now, a PNG may keep its EXIF behind the pixels.
        orientation = _read_orientation(picture)
        if not notes and picture.format in ("JPEG", "MPO") and jpeg.may_lack_rows(picture, data):
            _note_missing_rows(data, notes)
        size = _fit(picture.size)
        small = shrink(_to_shown_mode(picture, data, notes), size)
        # Closed now, and not when this function ends: the next large picture waits for the memory.
        if small is not picture:
            picture.close()
    return _finish(small, orientation, picture.info.get("icc_profile"), data, notes)


def _note_missing_rows(data: bytes, notes: list[str]) -> None:
    """Add a note on rows that a JPEG with an end mark lacks. Raises ValueError where nearly all are missing."""
    missing, note = jpeg.describe_missing(data)
    if missing > jpeg.MAX_MISSING:
        raise ValueError("nearly all rows are missing")
    if note:
        notes.append(note)


def _to_shown_mode(picture: OpenedFile, data: bytes, notes: list[str]) -> Picture:
    """Return a decoded picture as L, RGB, CMYK or RGBA of 8 bits, and without alpha that is none."""
    tags: dict[int, Any] = getattr(picture, "tag_v2", {})
    simple = _to_eight_bits(picture, data, tags, notes)
    if note := tiff.describe_bands(tags):
        notes.append(note)
    if simple.mode != "RGBA":
        return simple
    meant, note = transparency.drop_false_alpha(simple, is_tiff=bool(tags), is_stated=tiff.states_alpha(tags))
    if note:
        notes.append(note)
    return meant


def _to_eight_bits(picture: OpenedFile, data: bytes, tags: dict[int, Any], notes: list[str]) -> Picture:
    stated = tiff.stated_range(tags) if tags else sixteen_bits.stated_range(read_png_chunk(data, b"sBIT"))
    clear = picture.info.get("transparency")
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        numbers = sixteen_bits.read_grey(picture, _fit(picture.size))
    elif sixteen_bits.has_deep_colour(picture, data) and sixteen_bits.may_be_shallow(picture):
        numbers = sixteen_bits.read_colour(picture, data, open_with_pillow)
    else:
        return colour.to_simple_mode(picture)
    levels, note = to_eight_bits(numbers, stated)
    if note:
        notes.append(note)
    return sixteen_bits.from_levels(levels, numbers, clear)


def _finish(small: Picture, orientation: int, profile: object, data: bytes, notes: list[str]) -> Picture:
    """Return a shrunk picture of 8 bits as upright sRGB on a ground."""
    codes = None
    if not profile:
        is_media = find_format(data) in ("HEIC", "AVIF")
        codes = heif.read_colour_codes(data) if is_media else colour.read_png_codes(data)
    if small.mode != "CMYK" and (gamma := colour.read_gamma(data)):
        small, note = colour.apply_gamma(small, gamma)
        notes.append(note)
    if small.mode == "RGBA":
        small, ground = transparency.flatten(small)
        notes += [ground] if ground else []
    upright = colour.from_codes(colour.to_srgb(small, profile), codes)
    if orientation in _TRANSPOSES:
        upright = upright.transpose(_TRANSPOSES[orientation])
    # A new image: comments, EXIF with its place and date, and profiles stay behind.
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    if emptiness := transparency.describe_emptiness(clean):
        notes.append(emptiness)
    return clean


def _check_tiles(picture: OpenedFile) -> None:
    """Refuse a small TIFF that is cut into tiles far larger than itself, which the decoder would hold in memory."""
    tags = getattr(picture, "tag_v2", {})
    sides = [value for tag in _TILE_TAGS if isinstance(value := tags.get(tag), int)]
    if math.prod(sides) > max(2048 * 2048, 4 * picture.width * picture.height):
        raise ValueError("tiles larger than any allowed picture")


def _read_orientation(picture: OpenedFile) -> int:
    if picture.format == "HEIF":
        # libheif has turned it as its boxes say.
        return 1
    try:
        check_directory(picture.info.get("exif", b"").removeprefix(b"Exif\0\0"))
        return int(picture.getexif().get(ExifTag.Orientation, 1))
    except (InvalidImage, *BROKEN):
        # Unreadable EXIF: the picture itself is fine.
        return 1
