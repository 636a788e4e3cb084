"""Arrays to pictures: one colour policy, overlays, sentences about a map, encoding for the browser. No torch."""

from xai_core.render.atlas import ACROSS, Thumbs, draw_sheets, name_thumbs
from xai_core.render.cells import draw_cells
from xai_core.render.colour import DEFAULT_PALETTE, PALETTES, Palette, colorize, normalise, scale_of
from xai_core.render.feature_maps import draw_feature_map, draw_filter
from xai_core.render.map_back import draw_map_back
from xai_core.render.outlines import draw_response
from xai_core.render.overlay import DEFAULT_OPACITY, Sheet, overlay, scales
from xai_core.render.perturbation import draw_change
from xai_core.render.point_pictures import draw_points
from xai_core.render.points import PointColors, color_by_correctness, color_by_group, color_by_number
from xai_core.render.reading import Reading, describe_reading
from xai_core.render.saved_picture import SavedMap, format_headline, saved_picture_png
from xai_core.render.wire import WireMap, wire_map, wire_palettes, wire_picture, wire_preview
from xai_core.render.words import describe, scale_caption, text_alternative

__all__ = [
    "ACROSS",
    "DEFAULT_OPACITY",
    "DEFAULT_PALETTE",
    "PALETTES",
    "Palette",
    "PointColors",
    "Reading",
    "SavedMap",
    "Sheet",
    "Thumbs",
    "WireMap",
    "color_by_correctness",
    "color_by_group",
    "color_by_number",
    "colorize",
    "describe",
    "describe_reading",
    "draw_cells",
    "draw_change",
    "draw_feature_map",
    "draw_filter",
    "draw_map_back",
    "draw_points",
    "draw_response",
    "draw_sheets",
    "format_headline",
    "name_thumbs",
    "normalise",
    "overlay",
    "saved_picture_png",
    "scale_caption",
    "scale_of",
    "scales",
    "text_alternative",
    "wire_map",
    "wire_palettes",
    "wire_picture",
    "wire_preview",
]
