"""Pictures of small changes: each value's change, enlarged so that it can be seen, on grey."""

from __future__ import annotations

import numpy as np
from PIL import Image

from xai_core.arrays import Int16

GREY = 128
MAX_FACTOR = 64


def draw_change(change: Int16) -> tuple[Image.Image, int]:
    """Return a change (H, W, C) in grey levels on middle grey, and the whole factor by which it is enlarged.

    The largest change reaches the end of the scale.

    >>> picture, factor = draw_change(np.array([[[2, 0, -1]]], dtype=np.int16))
    >>> picture.getpixel((0, 0)), factor
    ((254, 128, 65), 63)
    """
    largest = int(np.abs(change).max())
    factor = max(1, min(MAX_FACTOR, (GREY - 1) // largest)) if largest else 1
    values = np.clip(GREY + factor * change.astype(np.int32), 0, 255).astype(np.uint8)
    return Image.fromarray(values[..., 0] if values.shape[2] == 1 else values), factor
