"""Pictures to save: maps with their class, probability, method, model, colour bar, verdict and date.

Text is large enough to be read where the picture is shown 600 pixels wide.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from xai_core.formatting import percent, printable
from xai_core.render.colour import PALETTES
from xai_core.render.overlay import Sheet, display_size, overlay, scales
from xai_core.render.words import exceeds_scale, peak_of, scale_caption
from xai_core.results import Attribution

# Width on a slide or in a document at which every word is readable.
READABLE_WIDTH = 600
# Letters at that width, in pixels.
TEXT_PX, HEADLINE_PX = 13, 20
MAX_COLUMNS = 2
BAR_PX = 14
_GAP, _INK, _PALE, _PAPER = 24, (26, 28, 36), (90, 94, 106), (255, 255, 255)


@dataclass(frozen=True)
class SavedMap:
    """A map with the model input below it and its words; an empty word is left out."""

    picture: Image.Image
    attribution: Attribution
    method: str
    model: str
    verdict: str = ""


def format_headline(attribution: Attribution) -> str:
    """Return the class that was asked about, with its probability where that is known.

    >>> from xai_core import SAMPLES, explain, load_model
    >>> format_headline(explain(load_model("small_cnn"), SAMPLES.get("digit_3").load(), "saliency"))
    '3 · over 99 %'
    """
    probability = attribution.probability
    label = printable(attribution.label)
    return label if probability is None else f"{label} · {percent(probability)}"


def format_date(date: dt.date) -> str:
    """Return a date that nobody reads as another one.

    >>> format_date(dt.date(2026, 3, 9))
    '9 March 2026'
    """
    return f"{date.day} {date:%B} {date.year}"


@dataclass(frozen=True)
class _Style:
    """Pixels of letters, of a colour bar and of a column."""

    scale: float
    column: int

    def font(self, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        return ImageFont.load_default(round(size * self.scale))

    def line_height(self, size: int) -> int:
        return round(size * self.scale * 1.35)

    def wrap(self, text: str, size: int) -> Iterator[str]:
        """Yield lines that fit into the column."""
        # The letters of this font are about half as wide as they are high.
        letters = max(int(self.column / (size * self.scale * 0.54)), 8)
        yield from wrap(printable(text), letters)


@dataclass(frozen=True)
class _Line:
    text: str
    size: int = TEXT_PX
    ink: tuple[int, int, int] = _PALE


def _write_block(lines: Sequence[_Line], style: _Style) -> Image.Image:
    """Return wrapped lines on paper as wide as the column."""
    wrapped = [_Line(piece, line.size, line.ink) for line in lines for piece in style.wrap(line.text, line.size)]
    heights = [style.line_height(line.size) for line in wrapped]
    paper = Image.new("RGB", (style.column, max(sum(heights), 1)), _PAPER)
    pen, top = ImageDraw.Draw(paper), 0
    for line, height in zip(wrapped, heights, strict=True):
        pen.text((0, top), line.text, line.ink, style.font(line.size))
        top += height
    return paper


def _draw_bar(palette: str, style: _Style, *, signed: bool) -> Image.Image:
    """Return the colours from against to for, or from none to most, as they look on white, with their words."""
    table = PALETTES[palette].signed[1:] if signed else PALETTES[palette].unsigned
    places = np.round(np.linspace(0, len(table) - 1, style.column)).astype(int)
    rgba = table[places].astype(np.float64)
    cover = rgba[:, 3:] / 255
    colours = np.round(rgba[:, :3] * cover + 255 * (1 - cover)).astype(np.uint8)
    bar = Image.fromarray(np.tile(colours, (round(BAR_PX * style.scale), 1, 1)))
    words = Image.new("RGB", (style.column, style.line_height(TEXT_PX)), _PAPER)
    pen, font = ImageDraw.Draw(words), style.font(TEXT_PX)
    pen.text((0, 0), "against" if signed else "none", _INK, font)
    pen.text((style.column, 0), "for" if signed else "most", _INK, font, anchor="ra")
    return _stack([bar, words], gap=2)


def _stack(parts: Sequence[Image.Image], gap: int) -> Image.Image:
    paper = Image.new("RGB", (max(p.width for p in parts), sum(p.height + gap for p in parts) - gap), _PAPER)
    top = 0
    for part in parts:
        paper.paste(part, (0, top))
        top += part.height + gap
    return paper


def _draw_tile(entry: SavedMap, scale: float, sheet: Sheet, style: _Style) -> tuple[Image.Image, Image.Image]:
    """Return the words above a map, and the map with all that stands below it."""
    attribution = entry.attribution
    heat = attribution.heatmap
    signed = bool((heat < 0).any())
    picture = overlay(entry.picture, heat, sheet.palette, sheet.opacity, scale, signed=signed)
    clipped = exceeds_scale(peak_of(heat), scale)
    caption = scale_caption(scale, attribution.unit, shared=sheet.shared, signed=signed, clipped=clipped)
    layer = f"Layer: {attribution.layer}" if attribution.layer else ""
    above = [_Line(format_headline(attribution), HEADLINE_PX, _INK), _Line(entry.method, TEXT_PX, _INK)]
    verdict = f"Verdict: {entry.verdict}" if entry.verdict else ""
    below = [_Line(verdict, TEXT_PX, _INK), _Line(caption), _Line(f"Model: {entry.model}"), _Line(layer)]
    bar = _draw_bar(sheet.palette, style, signed=signed)
    return _write_block(above, style), _stack([picture, bar, _write_block(below, style)], gap=8)


def saved_picture_png(maps: Sequence[SavedMap], date: dt.date, sheet: Sheet | None = None) -> bytes:
    """Return a PNG of one map or several, at most two side by side, each with its words, and the date below them.

    Raises:
        ValueError: there is no map.
    """
    if not maps:
        raise ValueError("a picture to save needs a map")
    look = sheet or Sheet()
    columns = min(MAX_COLUMNS, len(maps))
    column = max(display_size(*entry.attribution.heatmap.shape)[0] for entry in maps)
    width = _GAP + columns * (column + _GAP)
    style = _Style(max(width / READABLE_WIDTH, 1), column)
    used = scales([entry.attribution for entry in maps], shared=look.shared)
    tiles = [_draw_tile(entry, scale, look, style) for entry, scale in zip(maps, used, strict=True)]
    rows = [_draw_row(tiles[start : start + columns], column) for start in range(0, len(tiles), columns)]
    body = _stack([*rows, _write_block([_Line(f"Whybox · {format_date(date)}")], style)], gap=_GAP)
    paper = Image.new("RGB", (width, body.height + 2 * _GAP), _PAPER)
    paper.paste(body, (_GAP, _GAP))
    return encode_png(paper)


def _draw_row(tiles: Sequence[tuple[Image.Image, Image.Image]], column: int) -> Image.Image:
    """Return tiles side by side; their maps begin at one height, below the highest of their words."""
    head = max(above.height for above, _ in tiles) + 8
    height = head + max(below.height for _, below in tiles)
    paper = Image.new("RGB", (len(tiles) * (column + _GAP) - _GAP, height), _PAPER)
    for place, (above, below) in enumerate(tiles):
        paper.paste(above, (place * (column + _GAP), 0))
        paper.paste(below, (place * (column + _GAP), head))
    return paper


def encode_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
