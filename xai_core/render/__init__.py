"""Arrays to pictures: one colour policy, overlays, sentences about a map, encoding for the browser. No torch."""

from xai_core.render.colour import DEFAULT_PALETTE, PALETTES, Palette, colorize, normalise, scale_of
from xai_core.render.overlay import DEFAULT_OPACITY, Sheet, comparison_png, overlay, panel_png, scales
from xai_core.render.wire import wire_map, wire_palettes, wire_picture
from xai_core.render.words import describe, scale_caption, text_alternative

__all__ = [
    "DEFAULT_OPACITY",
    "DEFAULT_PALETTE",
    "PALETTES",
    "Palette",
    "Sheet",
    "colorize",
    "comparison_png",
    "describe",
    "normalise",
    "overlay",
    "panel_png",
    "scale_caption",
    "scale_of",
    "scales",
    "text_alternative",
    "wire_map",
    "wire_palettes",
    "wire_picture",
]
