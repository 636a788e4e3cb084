"""Less colour, down to grey."""

from __future__ import annotations

import numpy as np
from PIL import Image

from xai_core.images.corruptions.spec import CORRUPTIONS, Corruption
from xai_core.images.reading import Picture


def _fade(picture: Picture, share: float, _rng: np.random.Generator) -> Picture:
    return Image.blend(picture, picture.convert("L").convert(picture.mode), share)


CORRUPTIONS.add(
    Corruption(
        name="grey",
        title="Less colour",
        rank=60,
        about="Colours fade; at the strongest the picture is black and white.",
        scale=(1 / 3, 1 / 2, 2 / 3, 5 / 6, 1.0),
        change=_fade,
    )
)
