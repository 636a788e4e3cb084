"""A unit's response and a concept on one picture: the response stays bright, the concept is framed."""

from __future__ import annotations

import numpy as np
from PIL import Image

from xai_core.arrays import Bool

# Outside the response a pixel keeps this share of its brightness.
_DIMMED = 0.35
_FRAME = (255, 140, 0)
_ZOOM = 3


def draw_response(picture: Image.Image, mask: Bool, concept: Bool) -> Image.Image:
    """Return the picture (RGB, three pixels for each of the masks'), dark outside `mask`, with `concept` framed orange.

    Masks are boolean (rows, columns) over the whole picture.
    """
    size = mask.shape[1] * _ZOOM, mask.shape[0] * _ZOOM
    pixels = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    bright, inner = (part.repeat(_ZOOM, 0).repeat(_ZOOM, 1) for part in (mask, concept))
    pixels = np.where(bright[:, :, None], pixels, _DIMMED * pixels)
    pixels[inner & ~_shrink(inner)] = _FRAME
    return Image.fromarray(pixels.astype(np.uint8))


def _shrink(mask: Bool) -> Bool:
    """Return the pixels whose neighbours, two steps away on each side, are in the mask too."""
    padded = np.pad(mask, 2)
    height, width = mask.shape
    steps = [(0, 2), (4, 2), (2, 0), (2, 4)]
    inner: Bool = np.logical_and.reduce([padded[y : y + height, x : x + width] for y, x in steps])
    return inner
