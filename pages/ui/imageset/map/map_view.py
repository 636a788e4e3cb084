"""The points of the map, the visitor's own picture among them, and the trustworthiness of the map."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import session
from pages.ui.imageset import selection, thumbnail_grid
from pages.ui.imageset.map import point_colours
from pages.ui.imageset.map.map_settings import Settings
from pages.ui.imageset.page_context import PageContext
from pages.ui.imageset.scatter import Event, show_scatter
from pages.ui.widgets import background, show
from xai_core import imageset
from xai_core.arrays import Float32
from xai_core.formatting import number
from xai_core.imageset import Map
from xai_core.render import Thumbs

MAX_NEIGHBOURS = 12


class OwnPicture(NamedTuple):
    """The visitor's own picture in the space of the map: its vector, and the vectors of the set (N, D)."""

    image: Image.Image
    query: Float32
    among: Float32


def _describe_picture(
    page: PageContext, settings: Settings, image: Image.Image, job: xai_core.Job[OwnPicture]
) -> OwnPicture:
    if settings.source == "pixels":
        return OwnPicture(image, imageset.describe_pixels(image), imageset.read_pixels(page.pictures, job=job))
    return OwnPicture(image, imageset.describe_picture(image, page.model, page.layer, job), page.seen.mean)


def _describe_own_picture(page: PageContext, settings: Settings) -> OwnPicture | None:
    """Return the visitor's own picture with its vector, None where none is in use or while it is computed."""
    if not session.has_own_picture():
        return None
    image = session.current_picture()[0]
    key = ("own", page.seen.id, settings.source, xai_core.image_sha256(image))
    return background.compute(key, lambda job: _describe_picture(page, settings, image, job), "Looking at your picture")


def _name_points(page: PageContext, projection: Map, settings: Settings) -> tuple[str, ...]:
    """Return a line for each point; computed once, for a map may have 20,000."""
    key = ("words", page.run.id, *settings.key)
    return background.compute(
        key, lambda _job: tuple(page.words(row) for row in projection.rows.tolist()), "Naming the points"
    ) or ("",) * len(projection.rows)


def render(page: PageContext, projection: Map, settings: Settings) -> None:
    """Render the points, the choice of their colours, and the trustworthiness of the map."""
    coloured, own = point_colours.render_choice(page)(projection.rows), _describe_own_picture(page, settings)
    selected, current_row = selection.current_selection(page.pictures), selection.current_row(page.pictures)
    selected_rows: tuple[int, ...] = () if current_row is None else (current_row,)
    if selected is not None:
        selected_rows = selected.rows
    event = show_scatter(
        projection.points,
        coloured,
        ids=projection.rows,
        thumbs=Thumbs(page.pictures.id, page.pictures.thumbnails(), projection.rows),
        words=_name_points(page, projection, settings),
        selected=selected_rows,
        mark=None if own is None else tuple(imageset.place_among(projection, own.among, own.query)),
        key="set_map",
    )
    if event is not None:
        _apply_event(page, event)
    _write_trust(projection)
    if own is not None:
        _render_neighbours(page, own)


def _apply_event(page: PageContext, event: Event) -> None:
    """Select the clicked or enclosed pictures on all pages."""
    if event.kind == "click":
        selection.open_and_select(page.pictures, event.ids[0])
    elif event.kind == "lasso":
        selection.select(page.pictures, event.ids, "enclosed on the map")
        # What was enclosed is to be seen, not the picture before it.
        selection.close_picture()
    else:
        selection.clear()


def _write_trust(projection: Map) -> None:
    """Write the trustworthiness of the map and its notes."""
    show.write(projection.sentence)
    kl_words = "Remaining error (Kullback-Leibler divergence, smaller is better)"
    error = () if projection.kl is None else (f"{kl_words}: {number(projection.kl)} nats.",)
    show.write_list((*projection.notes, *error))


def _render_neighbours(page: PageContext, own: OwnPicture) -> None:
    """Render the nearest neighbours of the visitor's own picture."""
    near = background.compute(
        ("near own", page.seen.id, own.query.tobytes()),
        lambda _job: imageset.find_nearest(own.among, own.query, MAX_NEIGHBOURS),
        "Looking for the neighbours of your picture",
    )
    st.markdown("**Most like your picture** *(nearest neighbours)*")
    show.write(imageset.PLACEMENT_NOTE, quiet=True)
    if near is None:
        return
    tiles = [
        thumbnail_grid.Tile(int(row), f"{page.words(int(row))}, distance {number(float(far))}")
        for row, far in zip(*near, strict=True)
    ]

    def take(row: int) -> None:
        selection.open_picture(page.pictures, row)

    thumbnail_grid.render_grid(
        page.pictures,
        tiles,
        "near_own",
        "The pictures most like yours",
        take,
        current=selection.current_row(page.pictures),
    )
