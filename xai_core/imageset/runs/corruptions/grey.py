"""Less colour, down to grey."""

from __future__ import annotations

import numpy as np
from PIL import Image

from xai_core.images import Picture
from xai_core.imageset.runs.corruptions.spec import CORRUPTIONS, Corruption


def _fade(picture: Picture, share: float, _rng: np.random.Generator) -> Picture:
    return Image.blend(picture, picture.convert("L").convert(picture.mode), share)


CORRUPTIONS.add(
    Corruption(
        name="grey",
        title="Less colour",
        rank=60,
        about="Colours fade; at the strongest the picture is black and white.",
        levels=(1 / 3, 2 / 3, 1.0),
        change=_fade,
    )
)
