"""Pictures with a map on them: one panel, or a sheet of several with titles and the scale used.

The photograph loses its own colours as the overlay gets stronger, so that every colour left is the map's.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from xai_core.arrays import Float
from xai_core.object_cache import cache_per_object
from xai_core.render.colour import DEFAULT_PALETTE, colorize, normalise, scale_of
from xai_core.render.words import exceeds_scale, peak_of, scale_caption
from xai_core.results import Attribution

# Panels are drawn at the smallest whole multiple of the map's grid whose longer side reaches this many pixels.
DISPLAY_SIDE = 448
# Grids with a longer side below this are enlarged as squares: smoothing would invent detail the model never had.
PIXEL_ART = 64
DEFAULT_OPACITY = 0.75
_GAP, _INK, _PALE, _PAPER = 24, (26, 28, 36), (90, 94, 106), (255, 255, 255)


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


def encode_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def comparison_png(
    picture: Image.Image,
    attributions: Sequence[Attribution],
    titles: Sequence[str],
    sheet: Sheet | None = None,
    *,
    columns: int = 4,
) -> bytes:
    """Return a PNG of all maps side by side with title, method, class and scale; `picture` is the model's input."""
    style = sheet or Sheet()
    used = scales(attributions, shared=style.shared)
    panels = [
        draw_panel(picture, attribution, title, scale, style)
        for attribution, title, scale in zip(attributions, titles, used, strict=True)
    ]
    columns = max(1, min(columns, len(panels)))
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    width = _GAP + sum(max(panel.width for panel in panels) + _GAP for _ in range(columns)) if panels else 2 * _GAP
    heights = [max(panel.height for panel in row) for row in rows]
    paper = Image.new("RGB", (width, _GAP + sum(height + _GAP for height in heights)), _PAPER)
    top = _GAP
    for row, height in zip(rows, heights, strict=True):
        for column, panel in enumerate(row):
            paper.paste(panel, (_GAP + column * ((width - _GAP) // columns), top))
        top += height + _GAP
    return encode_png(paper)


def panel_png(picture: Image.Image, attribution: Attribution, title: str, sheet: Sheet | None = None) -> bytes:
    """Return a PNG of one map on its picture, with title and scale."""
    return comparison_png(picture, [attribution], [title], sheet)


def line_height(size: int) -> int:
    return int(size * 1.35)


def draw_panel(picture: Image.Image, attribution: Attribution, title: str, scale: float, sheet: Sheet) -> Image.Image:
    heat = attribution.heatmap
    signed = bool((heat < 0).any())
    picture_with_map = overlay(picture, heat, sheet.palette, sheet.opacity, scale, signed=signed)
    caption = scale_caption(
        scale, attribution.unit, shared=sheet.shared, signed=signed, clipped=exceeds_scale(peak_of(heat), scale)
    )
    lines = [(line, 22, _INK) for line in wrap(title, 36)]
    lines += [(line, 15, _PALE) for line in wrap(f"{attribution.method}: {attribution.label}", 58)]
    above = sum(line_height(size) for _, size, _ in lines) + 8
    below = wrap(caption, 58)
    paper = Image.new(
        "RGB", (picture_with_map.width, above + picture_with_map.height + 8 + line_height(15) * len(below)), _PAPER
    )
    pen, top = ImageDraw.Draw(paper), 0
    for line, size, ink in lines:
        pen.text((0, top), line, ink, ImageFont.load_default(size))
        top += line_height(size)
    paper.paste(picture_with_map, (0, above))
    for number, line in enumerate(below):
        pen.text(
            (0, above + picture_with_map.height + 8 + line_height(15) * number), line, _PALE, ImageFont.load_default(15)
        )
    return paper
