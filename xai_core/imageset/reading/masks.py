"""Pixels of a picture that belong to its object: from its own transparency, or from a PNG drawn for it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

from xai_core.arrays import Bool, UInt8
from xai_core.errors import InvalidImage
from xai_core.images import BROKEN, exclusive_decode, read_image
from xai_core.imageset.reading.file_roles import Files
from xai_core.imageset.record import ALPHA_MASK

Size = tuple[int, int]

_TRANSPARENT = ("PNG", "WEBP", "GIF")
# A grey picture no brighter than this numbers its objects: 0 for nothing, 1, 2, 3 …
_MAX_OBJECT_NUMBER = 64
_MAX_ASPECT_ERROR = 0.03
# Of this many rows and columns of a mask, so few colours make up so large a share.
_SAMPLED_SIDE, _MASK_COLOURS, _MASK_SHARE = 128, 16, 0.9


def is_mask_of(files: Files, picture: int, png: int) -> bool:
    """Say if a PNG is drawn like a mask and fits a picture."""
    try:
        data = files.read(png)
        return is_drawn(data) and drawn_mask(data, read_image(files.read(picture)).size) is not None
    except InvalidImage:
        # It will be read as a picture, which gives the reason.
        return False


def read_mask(files: Files, data: bytes, row: int, size: Size) -> Bool | None:
    """Return a picture's mask, from its own bytes (ALPHA_MASK) or the file of a row. Raises InvalidImage."""
    return alpha_mask(data, size) if row == ALPHA_MASK else drawn_mask(files.read(row), size)


def has_alpha(data: bytes) -> bool:
    """Say if a picture's header speaks of transparency; nothing is decoded."""
    # JPEG, the most common format, has none.
    if data[:3] == b"\xff\xd8\xff":
        return False
    try:
        with Image.open(BytesIO(data), formats=_TRANSPARENT) as picture:
            return picture.has_transparency_data
    except BROKEN:
        return False


def alpha_mask(data: bytes, size: Size) -> Bool | None:
    """Return the pixels more opaque than not, (H, W) for a `size` of (width, height); None where all or none are.

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
    return _partial(np.asarray(small) >= 128)


def drawn_mask(data: bytes, size: Size) -> Bool | None:
    """Return the object in a mask file, (H, W) for a `size` of (width, height); None where it marks all or nothing.

    None, too, for a mask of another shape. Light marks the object in a grey mask; in one with colours, or with numbers
    of objects, all that is not black; in a transparent one the visible part. Raises InvalidImage.
    """
    drawing = read_image(data)
    if abs(drawing.width * size[1] / (drawing.height * size[0]) - 1) > _MAX_ASPECT_ERROR:
        return None
    mask = alpha_mask(data, drawing.size) if has_alpha(data) else None
    if mask is None:
        mask = _threshold(np.asarray(drawing))
    return _partial(np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST)))


def is_drawn(data: bytes) -> bool:
    """Say if a picture is nearly all of a few colours, as masks are and no photograph is. Raises InvalidImage."""
    picture = read_image(data)
    steps = -(-picture.height // _SAMPLED_SIDE), -(-picture.width // _SAMPLED_SIDE)
    pixels = np.asarray(picture)[:: steps[0], :: steps[1]].reshape(-1, 3)
    counts = np.sort(np.unique(pixels, axis=0, return_counts=True)[1])
    return bool(counts[-_MASK_COLOURS:].sum() >= _MASK_SHARE * len(pixels))


def _threshold(pixels: UInt8) -> Bool:
    """Return the marked pixels of a drawing (H, W, 3)."""
    brightest = pixels.max(axis=2)
    top = int(brightest.max())
    numbered = bool((pixels.min(axis=2) != brightest).any()) or top < _MAX_OBJECT_NUMBER
    return np.asarray(brightest > (0 if numbered else top / 2))


def _partial(mask: Bool) -> Bool | None:
    """Return a mask that marks some pixels and not all, else None."""
    return mask if mask.any() and not mask.all() else None
