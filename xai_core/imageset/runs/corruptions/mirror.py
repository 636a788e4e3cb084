"""Left and right exchanged."""

from __future__ import annotations

import numpy as np
from PIL import ImageOps

from xai_core.images import Picture
from xai_core.imageset.runs.corruptions.spec import CORRUPTIONS, Corruption


def _mirror(picture: Picture, _level: float, _rng: np.random.Generator) -> Picture:
    return ImageOps.mirror(picture)


CORRUPTIONS.add(
    Corruption(
        name="mirror",
        title="Mirrored",
        rank=80,
        about="Left and right change places. There is only one strength.",
        levels=(1.0,),
        change=_mirror,
    )
)
