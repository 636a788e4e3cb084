"""Less contrast: everything comes closer to the mean colour."""

from __future__ import annotations

import numpy as np

from xai_core.images.corruptions.spec import CORRUPTIONS, Corruption, from_shares, to_shares
from xai_core.images.reading import Picture


def _reduce_contrast(picture: Picture, factor: float, _rng: np.random.Generator) -> Picture:
    pixels = to_shares(picture)
    mean = pixels.mean(axis=(0, 1))
    return from_shares((pixels - mean) * factor + mean)


CORRUPTIONS.add(
    Corruption(
        name="contrast",
        title="Less contrast",
        rank=40,
        about="Everything comes closer to the mean colour, as in fog.",
        scale=(0.4, 0.3, 0.2, 0.1, 0.05),
        change=_reduce_contrast,
    )
)
