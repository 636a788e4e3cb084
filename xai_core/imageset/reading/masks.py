"""Which pixels of a picture belong to its object: from its own transparency, or from a PNG drawn for it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

from xai_core.arrays import Bool, UInt8
from xai_core.images import BROKEN, exclusive_decode, read_image

Size = tuple[int, int]

_TRANSPARENT = ("PNG", "WEBP", "GIF")
_INDICES = 64
"""A grey picture no brighter than this numbers its objects: 0 for nothing, 1, 2, 3 …"""
_SAME_SHAPE = 0.03
_LOOK, _COLOURS, _NEARLY_ALL = 128, 16, 0.9
"""So many rows and columns of a picture are looked at, and so few colours make up so much of a mask."""


def has_alpha(data: bytes) -> bool:
    """Whether a picture's header speaks of transparency: a quick look, nothing is decoded."""
    if data[:3] == b"\xff\xd8\xff":  # JPEG, the most common one, has none
        return False
    try:
        with Image.open(BytesIO(data), formats=_TRANSPARENT) as picture:
            return picture.has_transparency_data
    except BROKEN:
        return False


def alpha_mask(data: bytes, size: Size) -> Bool | None:
    """Pixels more opaque than not, (H, W) for a picture of `size` (width, height); None where all or none are.

    Only for bytes that `read_image` has read: its limits on what is unpacked hold for them.
    """
    try:
        with Image.open(BytesIO(data), formats=_TRANSPARENT) as picture, exclusive_decode(picture.size):
            picture.load()
            alpha = picture.getchannel("A") if "A" in picture.getbands() else picture.convert("RGBA").getchannel("A")
            ImageOps.exif_transpose(alpha, in_place=True)
            small = alpha.resize(size, Image.Resampling.BOX)
            picture.close()
    except BROKEN:
        return None
    return _telling(np.asarray(small) >= 128)


def drawn_mask(data: bytes, size: Size) -> Bool | None:
    """The object in a mask file, (H, W) for a picture of `size` (width, height); None where it marks all or nothing or has another shape.

    Light marks the object in a grey mask; in one with colours, or with numbers of objects, all that is not black; in a transparent one
    what can be seen. Raises InvalidImage.
    """
    drawn = read_image(data)
    if abs(drawn.width * size[1] / (drawn.height * size[0]) - 1) > _SAME_SHAPE:
        return None
    found = alpha_mask(data, drawn.size) if has_alpha(data) else None
    if found is None:
        found = _marked(np.asarray(drawn))
    return _telling(np.asarray(Image.fromarray(found).resize(size, Image.Resampling.NEAREST)))


def is_drawn(data: bytes) -> bool:
    """Whether a picture is drawn like a mask: nearly all of it in a few colours, as no photograph is. Raises InvalidImage."""
    drawn = read_image(data)
    pixels = np.asarray(drawn)[:: -(-drawn.height // _LOOK), :: -(-drawn.width // _LOOK)].reshape(-1, 3)
    counts = np.sort(np.unique(pixels, axis=0, return_counts=True)[1])
    return bool(counts[-_COLOURS:].sum() >= _NEARLY_ALL * len(pixels))


def _marked(pixels: UInt8) -> Bool:
    brightest = pixels.max(axis=2)
    top = int(brightest.max())
    numbers = bool((pixels.min(axis=2) != brightest).any()) or top < _INDICES
    return np.asarray(brightest > (0 if numbers else top / 2))


def _telling(mask: Bool) -> Bool | None:
    return mask if mask.any() and not mask.all() else None
