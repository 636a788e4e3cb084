"""A grid of small pictures of a set; a click opens one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from PIL import Image, ImageOps

from pages.ui.widgets import background, picture_grid
from pages.ui.widgets.picture_grid import MAX_TINY_PX, PIXEL_RATIO, Box
from xai_core import Job, XaiError
from xai_core.imageset import ImageSet

MAX_TILES = 48
SMALL_PX, LARGE_PX = 64, 100


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


def _picture_loader(
    dataset: ImageSet, rows: Sequence[int], side: int, see: Callable[[Image.Image], Image.Image]
) -> Callable[[Job[Any]], Mapping[int, tuple[str, bool]]]:
    def make(job: Job[Any]) -> Mapping[int, tuple[str, bool]]:
        job.expect(len(rows))
        encoded = {}
        for row in rows:
            job.tick(1)
            try:
                encoded[row] = picture_grid.encode_picture(see(dataset.open(row)), side)
            except XaiError:  # this file is damaged or gone: its thumbnail stands in
                continue
        return encoded

    return make


def _encode_thumbnail(dataset: ImageSet, row: int) -> tuple[str, bool]:
    """Return the thumbnail that was made when the set was read."""
    return picture_grid.encode_picture(Image.fromarray(dataset.thumbnails()[row]), SMALL_PX)[0], False


def render_grid(
    dataset: ImageSet,
    tiles: Sequence[Tile],
    key: str,
    label: str,
    take: Callable[[int], None],
    *,
    current: int | None = None,
    side: int = SMALL_PX,
    cut: Crop = SQUARE_CROP,
) -> None:
    """Render the first MAX_TILES tiles; `take` gets the row that is clicked, `current` is shown as pressed.

    `side`: least width of a tile in pixels of the page.
    """
    tiles = tiles[:MAX_TILES]
    rows = tuple(tile.row for tile in tiles)
    sharp = background.compute(
        ("tiles", dataset.id, rows, side, cut.name),
        _picture_loader(dataset, rows, PIXEL_RATIO * side, cut.see),
        "Fetching the pictures",
        again=False,
    )
    items = []
    for tile in tiles:
        source, tiny = (sharp or {}).get(tile.row) or _encode_thumbnail(dataset, tile.row)
        items.append(picture_grid.Item(tile.row, source, tile.words, tile.caption, tiny, tile.box))
    picture_grid.render_items(items, key, label, take, side, current)
