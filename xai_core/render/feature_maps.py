"""Feature maps as pictures: orange above zero, blue below, transparent at zero."""

from __future__ import annotations

from PIL import Image

from xai_core.arrays import Float
from xai_core.render.colour import DEFAULT_PALETTE, colorize, normalise


def draw_feature_map(values: Float, scale: float | None = None, palette: str = DEFAULT_PALETTE) -> Image.Image:
    """Return a map (rows, columns) as RGBA, one pixel a place; full colour from `scale` on (None: its own)."""
    normal, _ = normalise(values, scale)
    return Image.fromarray(colorize(normal, palette, signed=True))


def draw_filter(values: Float) -> Image.Image:
    """Return a filter (C, rows, columns) of one or three channels as a picture: grey is zero, one pixel a weight.

    Each filter has its own scale: its largest weight is black or white, or a full colour.
    """
    largest = float(abs(values).max()) or 1.0
    pixels = ((values / largest + 1) * 127.5).round().astype("uint8").transpose(1, 2, 0)
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
