"""Pictures with a map on them, and the scales that maps are drawn by.

The photograph loses its own colours as the overlay gets stronger, so that every colour left is the map's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from xai_core.arrays import Float
from xai_core.object_cache import cache_per_object
from xai_core.render.colour import DEFAULT_PALETTE, colorize, normalise, scale_of
from xai_core.results import Attribution

# Panels are drawn at the smallest whole multiple of the map's grid whose longer side reaches this many pixels.
DISPLAY_SIDE = 448
# Grids with a longer side below this are enlarged as squares: smoothing would invent detail the model never had.
PIXEL_ART = 64
DEFAULT_OPACITY = 0.75


def display_size(rows: int, columns: int) -> tuple[int, int]:
    """Return (width, height) in pixels at which a map of this grid is drawn."""
    factor = max(1, math.ceil(DISPLAY_SIDE / max(rows, columns)))
    return columns * factor, rows * factor


def enlarge(values: Float, size: tuple[int, int]) -> Float:
    """Resize a map to (width, height): bilinear, squares where the grid is small; NaN stays NaN."""
    if values.shape == (size[1], size[0]):
        return values
    how = Image.Resampling.NEAREST if max(values.shape) < PIXEL_ART else Image.Resampling.BILINEAR
    known = np.isfinite(values)
    grown = np.asarray(
        Image.fromarray(np.where(known, values, 0).astype(np.float32)).resize(size, how), dtype=np.float64
    )
    if known.all():
        return grown
    return np.where(np.asarray(Image.fromarray(known).resize(size, Image.Resampling.NEAREST)), grown, np.nan)


def overlay(
    picture: Image.Image,
    heatmap: Float,
    palette: str = DEFAULT_PALETTE,
    opacity: float = DEFAULT_OPACITY,
    scale: float | None = None,
    *,
    signed: bool = True,
) -> Image.Image:
    """Return the picture with the map on it, RGB at `display_size`; opacity 1 hides the picture under full colour."""
    size = display_size(*heatmap.shape)
    how = Image.Resampling.NEAREST if max(heatmap.shape) < PIXEL_ART else Image.Resampling.BICUBIC
    photo = picture.convert("RGB")
    photo = photo if photo.size == size else photo.resize(size, how)
    base = Image.blend(photo, photo.convert("L").convert("RGB"), math.sqrt(opacity))
    _, used = normalise(heatmap, scale)
    grown, _ = normalise(enlarge(heatmap, size), used)
    colours = colorize(grown, palette, signed=signed).astype(np.float64)
    cover = colours[..., 3:] / 255 * opacity
    mixed = np.asarray(base, dtype=np.float64) * (1 - cover) + colours[..., :3] * cover
    return Image.fromarray(np.round(mixed).astype(np.uint8))


@dataclass(frozen=True)
class Sheet:
    """Style of a sheet: palette, opacity and whether maps in the same unit share one scale."""

    palette: str = DEFAULT_PALETTE
    opacity: float = DEFAULT_OPACITY
    shared: bool = False


@cache_per_object
def own_scale(attribution: Attribution) -> float:
    """Return the value at which a map's full colour starts."""
    return scale_of(attribution.heatmap)


def scales(attributions: Sequence[Attribution], *, shared: bool) -> list[float]:
    """Return the scale of each map: its own, or the largest among the maps in the same unit."""
    own = [own_scale(attribution) for attribution in attributions]
    if not shared:
        return own
    return [
        max(scale for scale, peer in zip(own, attributions, strict=True) if peer.unit == entry.unit)
        for entry in attributions
    ]
