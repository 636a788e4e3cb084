"""JPEG at low quality."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from xai_core.images.corruptions.spec import CORRUPTIONS, Corruption
from xai_core.images.reading import Picture


def _compress(picture: Picture, quality: float, _rng: np.random.Generator) -> Picture:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=int(quality))
    return Image.open(buffer, formats=("JPEG",)).convert(picture.mode)


CORRUPTIONS.add(
    Corruption(
        name="jpeg",
        title="Strong JPEG",
        rank=30,
        about="Packed so hard that blocks of 8 × 8 pixels show.",
        scale=(25, 18, 15, 10, 7),
        change=_compress,
    )
)
