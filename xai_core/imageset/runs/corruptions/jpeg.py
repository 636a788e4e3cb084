"""JPEG at low quality."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from xai_core.images import Picture
from xai_core.imageset.runs.corruptions.spec import CORRUPTIONS, Corruption


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
        levels=(25, 15, 7),
        change=_compress,
    )
)
