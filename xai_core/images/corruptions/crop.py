"""A random part, enlarged to the full size."""

from __future__ import annotations

import numpy as np
from PIL import Image

from xai_core.images.corruptions.spec import CORRUPTIONS, Corruption
from xai_core.images.reading import Picture


def _crop(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    width, height = (round(side * share) for side in picture.size)
    left, top = (int(rng.integers(0, free + 1)) for free in (picture.width - width, picture.height - height))
    return picture.resize(picture.size, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))


CORRUPTIONS.add(
    Corruption(
        name="crop",
        title="Part of it",
        rank=90,
        about="Only a part is left, 85, 70 or 50 percent a side, enlarged to the full size.",
        scale=(0.85, 0.78, 0.7, 0.6, 0.5),
        moves=True,
        random=True,
        change=_crop,
    )
)
