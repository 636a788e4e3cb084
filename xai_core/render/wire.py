"""Maps, palettes and pictures encoded for the browser, which colours them itself."""

from __future__ import annotations

import base64
import io
import zlib
from typing import TypedDict

import numpy as np
from PIL import Image

from xai_core.arrays import Float, UInt8
from xai_core.formatting import number
from xai_core.object_cache import cache_per_object
from xai_core.render.colour import PALETTES, scale_of
from xai_core.render.overlay import PIXEL_ART, own_scale
from xai_core.render.words import describe, exceeds_scale, peak_of, scale_caption, text_alternative
from xai_core.results import Attribution, Preview

NO_NUMBER = -32768
# Fewest cells along a side of a preview, of a map that has as many, and steps from zero to its peak.
MIN_PREVIEW_SIDE = 112
PREVIEW_STEPS = 100


class WireMap(TypedDict):
    """A map: `values` is base64 of zlib-packed little-endian int16, value / peak · 32767; NO_NUMBER marks NaN."""

    values: str
    grid: tuple[int, int]
    peak: float
    scale: float
    shared_scale: float
    unit: str
    signed: bool
    alt: str
    odd: str
    caption_own: str
    caption_shared: str


class WirePalette(TypedDict):
    title: str
    signed: str
    unsigned: str


def pack(heatmap: Float) -> tuple[str, float]:
    """Return (the map as text, the largest |value| it is relative to), with an error of at most 1.6e-5 of that."""
    finite = np.isfinite(heatmap)
    safe = np.where(finite, heatmap, 0.0).astype(np.float64)
    peak = peak_of(heatmap)
    steps = np.round(safe / peak * 32767) if peak > 0 else safe
    whole = np.where(finite, steps, NO_NUMBER).astype("<i2")
    return base64.b64encode(zlib.compress(whole.tobytes(), 6)).decode("ascii"), peak


def wire_map(attribution: Attribution, shared_scale: float | None = None) -> WireMap:
    """Encode a map with its sentences; `shared_scale` is that of all maps in the same unit."""
    own = wire_own_scale(attribution)
    shared = own["scale"] if shared_scale is None else shared_scale
    beyond = exceeds_scale(own["peak"], shared)
    # The unit is told with each value under the cursor: here it would only be read as a riddle.
    caption = scale_caption(shared, "", shared=True, signed=own["signed"], clipped=beyond)
    return {**own, "shared_scale": shared, "caption_shared": caption}


@cache_per_object
def wire_own_scale(attribution: Attribution) -> WireMap:
    heat = attribution.heatmap
    values, peak = pack(heat)
    scale, unit = own_scale(attribution), attribution.unit
    signed = bool((heat < 0).any())
    return WireMap(
        values=values,
        grid=(heat.shape[1], heat.shape[0]),
        peak=peak,
        scale=scale,
        shared_scale=scale,
        unit=unit,
        signed=signed,
        alt=text_alternative(heat),
        odd=describe(heat),
        caption_own=scale_caption(scale, "", signed=signed, clipped=exceeds_scale(peak, scale)),
        caption_shared="",
    )


def wire_preview(preview: Preview, least_scale: float = 0.0, signed: bool = False) -> WireMap:
    """Encode an unfinished map, small: averaged over few pixels and in coarse steps.

    `least_scale` and `signed` are those of the preview before it: the scale only grows, so that colours do not jump.
    """
    own = _wire_preview(preview)
    scale, signed = max(own["scale"], least_scale), own["signed"] or signed
    amount = f"{'±' if signed else ''}{number(scale)}"
    caption = f"Full colour: {amount} so far; this scale only grows until the map is ready."
    return {
        **own,
        "scale": scale,
        "shared_scale": scale,
        "signed": signed,
        "caption_own": caption,
        "caption_shared": caption,
    }


@cache_per_object
def _wire_preview(preview: Preview) -> WireMap:
    heat = np.nan_to_num(preview.heatmap, posinf=0.0, neginf=0.0)
    factor = max(min(heat.shape) // MIN_PREVIEW_SIDE, 1)
    size = (heat.shape[1] // factor, heat.shape[0] // factor)
    small = np.asarray(Image.fromarray(heat).resize(size, Image.Resampling.BOX), dtype=np.float64)
    peak = peak_of(small)
    small = np.round(small / peak * PREVIEW_STEPS) / PREVIEW_STEPS * peak if peak > 0 else small
    return WireMap(
        values=pack(small)[0],
        grid=size,
        peak=peak,
        scale=scale_of(small),
        shared_scale=0.0,
        unit="so far",
        signed=bool((small < 0).any()),
        alt=text_alternative(small),
        odd="",
        caption_own="",
        caption_shared="",
    )


@cache_per_object
def wire_picture(picture: Image.Image) -> str:
    """Return the picture as a data URL: PNG where it is tiny (every pixel counts), else a good JPEG."""
    buffer = io.BytesIO()
    tiny = max(picture.size) < PIXEL_ART
    picture.convert("RGB").save(buffer, "PNG") if tiny else picture.convert("RGB").save(
        buffer, "JPEG", quality=93, subsampling=0
    )
    return f"data:image/{'png' if tiny else 'jpeg'};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def wire_palettes() -> dict[str, WirePalette]:
    """Return both tables of every palette, 1024 bytes each, in base64."""

    def text(table: UInt8) -> str:
        return base64.b64encode(table.tobytes()).decode("ascii")

    return {
        name: WirePalette(title=p.title, signed=text(p.signed), unsigned=text(p.unsigned))
        for name, p in PALETTES.items()
    }
