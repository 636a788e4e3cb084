"""Left and right exchanged."""

from __future__ import annotations

import numpy as np
from PIL import ImageOps

from xai_core.images.corruptions.spec import CORRUPTIONS, Corruption
from xai_core.images.reading import Picture


def _mirror(picture: Picture, _level: float, _rng: np.random.Generator) -> Picture:
    return ImageOps.mirror(picture)


CORRUPTIONS.add(
    Corruption(
        name="mirror",
        title="Mirrored",
        rank=80,
        about="Left and right change places. There is only one strength.",
        scale=(1.0,),
        moves=True,
        change=_mirror,
    )
)
