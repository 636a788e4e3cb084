"""TIFFs of numbers that Pillow does not open: fractions in colour, many bands, bands in planes. Read by tifffile."""

from __future__ import annotations

import logging
import math
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import COMPRESSION_INFO

from xai_core.errors import InvalidImage
from xai_core.images.depth import StatedRange
from xai_core.images.limits import check_size

Tags = Mapping[int, Any]
Numbers = npt.NDArray[Any]

ORIENTATION, PROFILE = 274, 34675
_BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANES, _EXTRA, _FORMAT = 258, 259, 262, 277, 284, 338, 339
_MIN_TAGS, _MAX_TAGS, _NO_DATA = (340, 280), (341, 281), 42113
# Bands of each photometric interpretation: white is zero, black is zero, RGB, palette, ink, YCbCr, Lab.
_RGB = 2
_COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3}

# Compressions that are unpacked here, and the sides of the memory that the numbers may take.
_PLAIN, _DEFLATE = 1, (8, 32946)
_MAX_UNPACKED = 400 * 2**20
_MAX_BANDS = 256
_COMPRESSIONS = {
    5: "LZW",
    7: "JPEG",
    32773: "PackBits",
    34925: "LZMA",
    50000: "Zstandard",
    34887: "LERC",
    34712: "JPEG 2000",
    50002: "JPEG XL",
}
_NOT_READ = (
    "This TIFF is not damaged, but its kind cannot be read here: {kind}. "
    "Save it once more as a TIFF or PNG with 8 bits in each of three colours."
)


def read_numbers(data: bytes) -> tuple[Numbers, dict[int, Any], str | None]:
    """Return the first picture of a TIFF as numbers (H, W) or (H, W, 3), its tags, and a note on bands left out.

    Raises InvalidImage for a kind that is not read, and one of limits.BROKEN for a damaged file.
    """
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        return _read_page(data)
    except (ArithmeticError, AssertionError, AttributeError, RuntimeError) as error:
        # What tifffile raises on damage, beside its own errors.
        raise ValueError(str(error)) from error


def _read_page(data: bytes) -> tuple[Numbers, dict[int, Any], str | None]:
    # Here, because few visitors have such a file.
    import tifffile

    with tifffile.TiffFile(BytesIO(data)) as file:
        page = file.pages.first
        if not isinstance(page, tifffile.TiffPage):
            raise ValueError("no page")
        check_size(page.imagewidth, page.imagelength)
        _check_kind(page, data)
        numbers = np.asarray(page.asarray(maxworkers=1))
        tags = {tag.code: tag.value for tag in page.tags if tag.count < 1000}
        separate = page.planarconfig == 2 and page.samplesperpixel > 1
    bands = np.moveaxis(numbers, 0, -1) if separate else numbers
    return _choose_bands(bands, tags)


def is_misread(picture: ImageFile) -> bool:
    """Say if Pillow opens a TIFF, but reads its numbers wrongly: deep bands in planes, 32 bits without a sign."""
    tags: Tags = getattr(picture, "tag_v2", {})
    bits = set(_as_tuple(tags.get(_BITS)))
    if tags.get(_COMPRESSION, _PLAIN) not in (_PLAIN, *_DEFLATE):
        return False
    in_planes = tags.get(_PLANES) == 2 and tags.get(_SAMPLES, 1) > 1 and bits != {8}
    return in_planes or (bits == {32} and set(_as_tuple(tags.get(_FORMAT, 1))) == {1})


def states_alpha(tags: Tags) -> bool:
    """Say if a TIFF calls its last band transparency."""
    return bool(set(_as_tuple(tags.get(_EXTRA))) & {1, 2})


def describe_bands(tags: Tags) -> str | None:
    """Return a note on bands beyond the colours that are no transparency and that Pillow leaves out."""
    colours = _COLOURS.get(tags.get(_PHOTOMETRIC, -1), 0)
    extra = _as_tuple(tags.get(_EXTRA))
    more = tags.get(_SAMPLES, 1) - colours
    if not colours or more < 1 or not extra or extra[0] in (1, 2, 999):
        return None
    bands = "one band" if more == 1 else f"{more} bands"
    return f"It has {bands} more than its colours (infrared, perhaps), which {'was' if more == 1 else 'were'} left out."


def stated_range(tags: Tags) -> StatedRange:
    """Return what a TIFF states about the range of its numbers."""
    bits = set(_as_tuple(tags.get(_BITS)))
    low, high = (_find_number(tags, *names) for names in (_MIN_TAGS, _MAX_TAGS))
    if bits == {12}:
        low, high = 0.0, 4095.0
    return StatedRange(
        low=low,
        high=high if high and high != 2 ** max(bits, default=0) - 1 else None,
        no_data=_find_number(tags, _NO_DATA),
        zero_is_white=tags.get(_PHOTOMETRIC) == 0,
    )


def _find_number(tags: Tags, *names: int) -> float | None:
    """Return the first of these tags that is a number."""
    for name in names:
        values = tags.get(name)
        text: Any = values.strip("\0 ") if isinstance(values, str) else max(_as_tuple(values), default=None)
        try:
            number = float(text)
        except (TypeError, ValueError, ZeroDivisionError):
            continue
        if math.isfinite(number):
            return number
    return None


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return () if value is None else value if isinstance(value, tuple) else (value,)


def _check_kind(page: Any, data: bytes) -> None:
    """Raise InvalidImage for a kind of number or compression that is not read here, or too much to unpack."""
    bands, compression = page.samplesperpixel, int(page.compression)
    ends = [start + length for start, length in zip(page.dataoffsets, page.databytecounts, strict=False)]
    is_common = page.dtype == np.uint8 and (bands == 1 or (bands <= 4 and int(page.photometric) == _RGB))
    # Pillow does not open a BigTIFF whose numbers begin with the large end.
    is_common = is_common and compression in COMPRESSION_INFO and data[:4] != b"MM\0+"
    if is_common or not ends or max(ends) > len(data):
        # Pillow reads the common kinds: one that it cannot open is damaged.
        raise ValueError("damaged")
    kind = None
    if page.dtype is None or page.dtype.kind not in "uif":
        kind = f"numbers of {page.bitspersample} bits, or complex ones"
    elif int(page.photometric) > _RGB:
        kind = f"colours of kind {int(page.photometric)} in numbers of {page.bitspersample} bits"
    elif page.imagedepth != 1:
        kind = "a block of many layers"
    elif bands > _MAX_BANDS:
        kind = f"{bands:,} bands"
    elif compression != _PLAIN and compression not in _DEFLATE:
        coding = _COMPRESSIONS.get(compression, f"compression number {compression}")
        what = "fractions" if page.dtype.kind == "f" else f"numbers of {8 * page.dtype.itemsize} bits"
        kind = f"{bands} {'bands' if bands > 1 else 'band'} of {what}, packed by {coding}"
    if kind:
        raise InvalidImage(_NOT_READ.format(kind=kind))
    size = page.imagewidth * page.imagelength * bands * page.dtype.itemsize
    if size > _MAX_UNPACKED or math.prod(page.shape) != page.imagewidth * page.imagelength * bands:
        raise InvalidImage(_NOT_READ.format(kind=f"{size / 2**20:,.0f} MB of numbers"))
    if compression in _DEFLATE:
        _check_segments(page, data)


def _check_segments(page: Any, data: bytes) -> None:
    """Raise ValueError where a strip or tile unpacks to more than it may hold: tifffile would unpack all of it."""
    sides = (page.tilewidth, page.tilelength) if page.is_tiled else (page.imagewidth, page.rowsperstrip)
    bands = 1 if page.planarconfig == 2 else page.samplesperpixel
    most = min(
        sides[0] * min(sides[1], max(page.imagelength, page.tilelength)) * bands * page.dtype.itemsize, _MAX_UNPACKED
    )
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=False):
        unpacker = zlib.decompressobj()
        unpacker.decompress(data[start : start + length], most + 1)
        if unpacker.unconsumed_tail:
            raise ValueError("a strip unpacks to more than it may hold")


def _choose_bands(numbers: Numbers, tags: dict[int, Any]) -> tuple[Numbers, dict[int, Any], str | None]:
    if numbers.ndim == 2:
        return numbers, tags, None
    count = numbers.shape[2]
    if count < 3:
        left = f"It has {count} bands: the first is shown in grey." if count > 1 else None
        return numbers[:, :, 0], tags, left
    note = f"It has {count} bands: the first three are shown as red, green and blue." if count > 3 else None
    return numbers[:, :, :3], tags, note
