"""Gaussian blur: out of focus."""

from __future__ import annotations

import numpy as np
from PIL import ImageFilter

from xai_core.images.corruptions.spec import CORRUPTIONS, Corruption
from xai_core.images.reading import Picture

# Sigmas in pixels are for inputs of this side.
_SIDE = 224


def _blur(picture: Picture, sigma: float, _rng: np.random.Generator) -> Picture:
    """Scale sigma with the side, but not below the authors' value for small pictures, under which nothing changes."""
    return picture.filter(ImageFilter.GaussianBlur(max(sigma * picture.width / _SIDE, 0.3 + 0.12 * sigma)))


CORRUPTIONS.add(
    Corruption(
        name="blur",
        title="Blur",
        rank=20,
        about="Out of focus: every pixel is mixed with those around it.",
        scale=(1.0, 2.0, 3.0, 4.0, 6.0),
        change=_blur,
    )
)
