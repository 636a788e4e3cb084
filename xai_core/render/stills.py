"""Maps of points as small pictures, for rows of them side by side where nothing has to be clicked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

TIMES = 2
"""Drawn so much larger and then reduced, so that discs are round."""


def still(points: npt.NDArray[np.floating], colours: npt.NDArray[np.uint8], side: int = 240) -> Image.Image:
    """Points (n, 2 or more; the first two count) in their colours (n, 3) on a clear ground, RGBA (side, side), both axes in one scale."""
    flat = np.asarray(points[:, :2], dtype=np.float64)
    middle, reach = (flat.max(axis=0) + flat.min(axis=0)) / 2, max(float(np.ptp(flat, axis=0).max()) / 2, 1e-12)
    wide, radius = side * TIMES, TIMES * (3.0 if len(flat) <= 500 else 2.0)
    places = (flat - middle) / reach * (wide / 2 - 2 * radius) * [1, -1] + wide / 2  # up is up
    drawn = Image.new("RGBA", (wide, wide))
    pen = ImageDraw.Draw(drawn)
    for (x, y), colour in zip(places.tolist(), colours.tolist(), strict=True):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, 255))
    return drawn.resize((side, side), Image.Resampling.BOX)
