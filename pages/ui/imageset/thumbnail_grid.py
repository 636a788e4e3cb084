"""A grid of small pictures of a set; a click opens one."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st
from PIL import Image, ImageOps

from pages.ui.widgets import background
from pages.ui.widgets.component import create_component
from pages.ui.widgets.words import format_label
from xai_core import Job, XaiError
from xai_core.imageset import ImageSet

MAX_TILES = 48
SMALL_PX, LARGE_PX = 64, 100
# Pixels of a picture for each of the page: most screens of phones have two or more.
PIXEL_RATIO = 2
MAX_TINY_PX = 64

_grid = create_component("thumbs", "thumbs.js")
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Tile:
    """One picture: row, description, caption, and a frame on it (left, top, right, bottom; 0 to 1)."""

    row: int
    words: str
    caption: str = ""
    box: Box | None = None


class Crop(NamedTuple):
    """A way to make a picture square, with a name for cache keys."""

    name: str
    see: Callable[[Image.Image], Image.Image]


def crop_square(picture: Image.Image) -> Image.Image:
    """Return the central square of a picture."""
    return ImageOps.fit(picture, (min(picture.size),) * 2)


SQUARE_CROP = Crop("square", crop_square)


def enlarge(picture: Image.Image, side: int) -> Image.Image:
    """Return a picture for a place of this width; the pixels of a tiny one become squares."""
    if max(picture.size) > MAX_TINY_PX:
        return ImageOps.contain(picture, (PIXEL_RATIO * side, PIXEL_RATIO * side), Image.Resampling.BICUBIC)
    times = max(side // max(picture.size), 1)
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def _encode_picture(picture: Image.Image, side: int) -> tuple[str, bool]:
    """Return a picture as a data URL, and True for a tiny one, whose pixels are to be seen."""
    tiny, buffer = max(picture.size) <= MAX_TINY_PX, io.BytesIO()
    small = picture if tiny else ImageOps.contain(picture, (side, side), Image.Resampling.BICUBIC)
    small.convert("RGB").save(buffer, "PNG" if tiny else "JPEG", quality=85)
    return f"data:image/{'png' if tiny else 'jpeg'};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}", tiny


def _picture_loader(
    dataset: ImageSet, rows: Sequence[int], side: int, see: Callable[[Image.Image], Image.Image]
) -> Callable[[Job[Any]], Mapping[int, tuple[str, bool]]]:
    def make(job: Job[Any]) -> Mapping[int, tuple[str, bool]]:
        job.expect(len(rows))
        encoded = {}
        for row in rows:
            job.tick(1)
            try:
                encoded[row] = _encode_picture(see(dataset.open(row)), side)
            except XaiError:  # this file is damaged or gone: its thumbnail stands in
                continue
        return encoded

    return make


def _encode_thumbnail(dataset: ImageSet, row: int) -> tuple[str, bool]:
    """Return the thumbnail that was made when the set was read."""
    return _encode_picture(Image.fromarray(dataset.thumbnails()[row]), SMALL_PX)[0], False


def render_grid(
    dataset: ImageSet,
    tiles: Sequence[Tile],
    key: str,
    label: str,
    take: Callable[[int], None],
    *,
    current: int | None = None,
    large: bool = False,
    cut: Crop = SQUARE_CROP,
) -> None:
    """Render the first MAX_TILES tiles; `take` gets the row that is clicked, `current` is shown as pressed."""
    tiles = tiles[:MAX_TILES]
    rows, size = tuple(tile.row for tile in tiles), LARGE_PX if large else SMALL_PX
    sharp = background.compute(
        ("tiles", dataset.id, rows, size, cut.name),
        _picture_loader(dataset, rows, PIXEL_RATIO * size, cut.see),
        "Fetching the pictures",
        again=False,
    )
    items = []
    for tile in tiles:
        source, tiny = (sharp or {}).get(tile.row) or _encode_thumbnail(dataset, tile.row)
        words = {"words": format_label(tile.words), "caption": format_label(tile.caption)}
        items.append({"row": tile.row, "src": source, "tiny": tiny, "box": tile.box, **words})

    def take_click() -> None:
        row = st.session_state[key].get("picked")
        if row in rows:
            take(row)

    _grid(
        key=key,
        data={"items": items, "current": current, "label": format_label(label), "size": size},
        on_picked_change=take_click,
    )
