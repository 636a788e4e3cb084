"""Rotation to either side."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from xai_core.images.corruptions.spec import CORRUPTIONS, Corruption
from xai_core.images.reading import Picture


def _rotate(picture: Picture, degrees: float, rng: np.random.Generator) -> Picture:
    """Show the picture mirrored at its edge in the corners: black ones would be a change of their own."""
    # (√2 - 1) / 2 of the side reaches the corner at any angle.
    edge = math.ceil(0.21 * max(picture.size)) + 1
    padding = [(edge, edge), (edge, edge), (0, 0)][: np.asarray(picture).ndim]
    wide = Image.fromarray(np.pad(np.asarray(picture), padding, mode="reflect"))
    rotated = wide.rotate(degrees * rng.choice((-1, 1)), Image.Resampling.BICUBIC)
    return rotated.crop((edge, edge, edge + picture.width, edge + picture.height))


CORRUPTIONS.add(
    Corruption(
        name="rotate",
        title="Turned",
        rank=70,
        about="Turned to the left or to the right by 10, 20 or 30 degrees.",
        scale=(10.0, 15.0, 20.0, 25.0, 30.0),
        moves=True,
        random=True,
        change=_rotate,
    )
)
