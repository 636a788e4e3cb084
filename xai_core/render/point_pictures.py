"""Small pictures of point maps, for rows of them where nothing is clicked."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from xai_core.arrays import Float, UInt8

# Factor of oversampling, so that discs are round.
TIMES = 2


def draw_points(points: Float, colours: UInt8, side: int = 240) -> Image.Image:
    """Draw points (n, 2 or more columns; the first two count) in their colours (n, 3), both axes in one scale.

    Returns RGBA (side, side) on a clear ground.
    """
    flat = np.asarray(points[:, :2], dtype=np.float64)
    middle, reach = (flat.max(axis=0) + flat.min(axis=0)) / 2, max(float(np.ptp(flat, axis=0).max()) / 2, 1e-12)
    width, radius = side * TIMES, TIMES * (3.0 if len(flat) <= 500 else 2.0)
    places = (flat - middle) / reach * (width / 2 - 2 * radius) * [1, -1] + width / 2
    canvas = Image.new("RGBA", (width, width))
    pen = ImageDraw.Draw(canvas)
    for (x, y), colour in zip(places.tolist(), colours.tolist(), strict=True):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, 255))
    return canvas.resize((side, side), Image.Resampling.BOX)
