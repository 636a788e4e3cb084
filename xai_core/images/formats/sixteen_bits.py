"""Numbers of pictures with more than 8 bits. Of colour Pillow keeps the upper byte: the lower by a second reading."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.ImageFile import ImageFile

from xai_core.images.decode_lock import LARGE_PIXELS
from xai_core.images.depth import StatedRange
from xai_core.images.formats.headers import PNG_START

Picture = Image.Image
UInt16 = npt.NDArray[np.uint16]
Numbers = npt.NDArray[Any]

_BITS_PER_SAMPLE, _PHOTOMETRIC, _PLANES, _RGB = 258, 262, 284, 2
# Place of bit depth and colour type in a PNG; the type of grey with alpha, and of colour with alpha.
_DEPTH_AT, _GREY_ALPHA, _COLOUR_ALPHA = 24, 4, 6
# Upper byte of the largest number of 14 bits.
_MAX_SHALLOW = 63
# The raw mode that takes the other byte of two.
_OTHER_BYTE = {"L": "B", "B": "L", "N": "B" if struct.pack("=H", 1) == b"\1\0" else "L"}


def has_deep_colour(picture: ImageFile, data: bytes) -> bool:
    """Say if an opened picture has colour, or grey with alpha, of 16 bits a channel in its file."""
    if picture.mode not in ("RGB", "RGBA", "LA"):
        return False
    if data[:8] == PNG_START:
        return data[_DEPTH_AT] == 16
    tags: Any = getattr(picture, "tag_v2", {})
    in_planes = tags.get(_PLANES) == 2
    return set(tags.get(_BITS_PER_SAMPLE, ())) == {16} and tags.get(_PHOTOMETRIC) == _RGB and not in_planes


def may_be_shallow(upper: Picture) -> bool:
    """Say if no upper byte of a colour exceeds those of 14 bits, so that the lower bytes matter."""
    extremes: Any = upper.getextrema()
    colours = extremes[: -1 if upper.mode.endswith("A") else None]
    return all(high <= _MAX_SHALLOW for _, high in colours)


def stated_range(significant_bits: bytes | None) -> StatedRange:
    """Return the bits a channel that the sBIT chunk of a PNG states."""
    if not significant_bits:
        return StatedRange()
    has_alpha = len(significant_bits) in (2, 4)
    return StatedRange(bits=max(significant_bits[: -1 if has_alpha else None]))


def read_grey(picture: Picture, size: tuple[int, int]) -> Numbers:
    """Return the numbers (H, W) of decoded grey of 16 or 32 bits; a large picture is shrunk to `size`, for memory."""
    if picture.width * picture.height > LARGE_PIXELS:
        picture = picture.resize(size, Image.Resampling.BOX)
    numbers = np.asarray(picture)
    return numbers.astype(np.uint16) if picture.mode.startswith("I;16") else numbers


def from_levels(levels: npt.NDArray[np.uint8], numbers: Numbers, clear: object) -> Picture:
    """Return levels (H, W) or (H, W, C) as L, RGB or RGBA; pixels whose number is `clear` become transparent."""
    picture = Image.fromarray(levels, "LA").convert("RGBA") if levels.shape[2:] == (2,) else Image.fromarray(levels)
    if isinstance(clear, (int, tuple)) and picture.mode in ("L", "RGB"):
        opaque = numbers != np.array(clear)
        alpha = opaque if numbers.ndim == 2 else opaque.any(axis=2)
        picture = picture.convert("RGB")
        picture.putalpha(Image.fromarray(alpha.astype(np.uint8) * 255))
    return picture


def read_colour(upper: Picture, data: bytes, reopen: Callable[[bytes], ImageFile]) -> UInt16:
    """Return the numbers (H, W, C) of 16 bits of a picture whose upper bytes are decoded.

    Of a large picture every n-th pixel is taken, for memory.
    """
    if data[:8] == PNG_START and data[_DEPTH_AT + 1] == _GREY_ALPHA:
        # Two numbers of 16 bits a pixel are read as four of 8.
        head = data[12:_DEPTH_AT] + bytes([8, _COLOUR_ALPHA]) + data[_DEPTH_AT + 2 : 29]
        quads = np.asarray(_thin(reopen(data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:])))
        return _join(quads[:, :, ::2], quads[:, :, 1::2])
    lower = reopen(data)
    lower.tile = [tile._replace(args=_swap_bytes(tile.args)) for tile in lower.tile]
    return _join(np.asarray(_thin(upper)), np.asarray(_thin(lower)))


def _join(upper: npt.NDArray[np.uint8], lower: npt.NDArray[np.uint8]) -> UInt16:
    numbers = upper.astype(np.uint16)
    numbers <<= 8
    numbers |= lower
    return numbers


def _thin(picture: Picture) -> Picture:
    step = -(-picture.width * picture.height // LARGE_PIXELS)
    if step == 1:
        return picture
    return picture.resize((picture.width // step + 1, picture.height // step + 1), Image.Resampling.NEAREST)


def _swap_bytes(args: Any) -> Any:
    """Return the arguments of a decoder with the raw mode that takes the other byte."""
    if isinstance(args, str):
        return args[:-1] + _OTHER_BYTE[args[-1]]
    return (_swap_bytes(args[0]), *args[1:])
