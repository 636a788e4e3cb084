"""Pictures with some cells of a grid framed and numbered."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from xai_core.render.overlay import display_size

FRAME, INK = (255, 153, 51), (20, 20, 20)
_WIDTH = 3


def draw_cells(picture: Image.Image, grid: tuple[int, int], places: Sequence[tuple[int, int]]) -> Image.Image:
    """Return a picture with the cells at these places (row, column) framed, numbered from 1 in their order."""
    size = display_size(picture.height, picture.width)
    drawn = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(drawn)
    rows, columns = grid
    for number, (row, column) in enumerate(places, 1):
        left, right = (round(edge * size[0] / columns) for edge in (column, column + 1))
        top, bottom = (round(edge * size[1] / rows) for edge in (row, row + 1))
        pen.rectangle((left + 1, top + 1, right - 2, bottom - 2), outline=FRAME, width=_WIDTH)
        box = pen.textbbox((left + 6, top + 4), str(number), font_size=14)
        pen.rectangle((box[0] - 3, box[1] - 2, box[2] + 3, box[3] + 2), fill=FRAME)
        pen.text((left + 6, top + 4), str(number), fill=INK, font_size=14)
    return drawn
