"""A digit drawn by hand as a picture that the digit network reads: light, soft strokes on a dark ground."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from xai_core.arrays import Bool
from xai_core.errors import InvalidImage
from xai_core.images import Picture

# Of the longer side of the drawing, as in the digits that the network learns from.
_FILL = 0.86
_SIDE = 112


def digit_picture(strokes: Bool) -> Picture:
    """Return painted strokes (side, side) as a grey picture (112, 112), centred and enlarged as the known digits are.

    Raises:
        InvalidImage: nothing is painted.
    """
    rows, columns = np.flatnonzero(strokes.any(axis=1)), np.flatnonzero(strokes.any(axis=0))
    if not len(rows):
        raise InvalidImage("Nothing is drawn yet. Draw a digit, as large as the field allows.")
    drawn = Image.fromarray((strokes * np.uint8(255)).astype(np.uint8))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    # The known digits fill their field: a small drawing would look like none of them.
    scale = _FILL * _SIDE / max(box[2] - box[0], box[3] - box[1])
    size = tuple(max(1, round(scale * length)) for length in (box[2] - box[0], box[3] - box[1]))
    part = drawn.crop(box).resize((size[0], size[1]), Image.Resampling.BILINEAR)
    picture = Image.new("L", (_SIDE, _SIDE))
    picture.paste(part, ((_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2))
    # The known digits are enlarged from 8 × 8 and soft.
    return picture.filter(ImageFilter.GaussianBlur(3))
