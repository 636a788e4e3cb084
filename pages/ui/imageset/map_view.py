"""The points of the map, the visitor's own picture among them, and how far to believe it all."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame import session
from pages.ui.imageset import point_colours, selection, thumbnail_grid
from pages.ui.imageset.map_settings import Settings
from pages.ui.imageset.page_context import PageContext
from pages.ui.imageset.scatter import Event, show_scatter
from pages.ui.widgets import background, show
from xai_core import imageset
from xai_core.imageset import Map
from xai_core.render.atlas import Thumbs
from xai_core.results import Floats

MAX_NEIGHBOURS = 12


class OwnPicture(NamedTuple):
    """The visitor's own picture as the map sees it: its numbers, and those of all others."""

    image: Image.Image
    query: Floats
    among: Floats


def _describe_picture(of: PageContext, wish: Settings, image: Image.Image, job: xai_core.Job[OwnPicture]) -> OwnPicture:
    if wish.source == "pixels":
        return OwnPicture(image, imageset.describe_pixels(image), imageset.read_pixels(of.pictures, job=job))
    return OwnPicture(image, imageset.describe_picture(image, of.model, of.layer, job), of.run.mean)


def _describe_own_picture(of: PageContext, wish: Settings) -> OwnPicture | None:
    """The visitor's own picture, if one is in use."""
    if not session.has_own_picture():
        return None
    image = session.current_picture()[0]
    key = ("own", of.run.id, wish.source, xai_core.image_sha256(image))
    return background.compute(key, lambda job: _describe_picture(of, wish, image, job), "Looking at your picture")


def _name_points(of: PageContext, found: Map, wish: Settings) -> tuple[str, ...]:
    """A line for each point. Made once: a map may have 20,000."""
    key = ("words", of.run.id, *wish.key)
    return background.compute(
        key, lambda _job: tuple(of.words(row) for row in found.rows.tolist()), "Naming the points"
    ) or ("",) * len(found.rows)


def render(of: PageContext, found: Map, wish: Settings) -> None:
    """The points, what their colours mean, and how far to believe them."""
    coloured, own = point_colours.render_choice(of)(found.rows), _describe_own_picture(of, wish)
    chosen, looked_at = selection.current_selection(of.pictures), selection.current_row(of.pictures)
    event = show_scatter(
        found.points,
        coloured,
        ids=found.rows,
        thumbs=Thumbs(of.pictures.id, of.pictures.thumbnails(), found.rows),
        words=_name_points(of, found, wish),
        selected=chosen.rows if chosen else () if looked_at is None else (looked_at,),
        mark=None if own is None else tuple(imageset.place_among(found, own.among, own.query)),
        key="set_map",
    )
    if event is not None:
        _apply_event(of, event)
    _write_trust(found)
    if own is not None:
        _render_neighbours(of, own)


def _apply_event(of: PageContext, event: Event) -> None:
    """What was clicked or enclosed is selected on every page."""
    if event.kind == "click":
        selection.open_and_select(of.pictures, event.ids[0])
    elif event.kind == "lasso":
        selection.select(of.pictures, event.ids, "enclosed on the map")
    else:
        selection.clear()


def _write_trust(found: Map) -> None:
    """How many neighbours on the map are true ones, and what was done on the way."""
    show.write(found.sentence)
    told = "What is still wrong at the end (Kullback-Leibler divergence, smaller is better)"
    error = () if found.kl is None else (f"{told}: {found.kl:.2f} nats.",)
    show.write_list((*found.notes, *error))


def _render_neighbours(of: PageContext, own: OwnPicture) -> None:
    """The pictures most like the visitor's own."""
    near = background.compute(
        ("near own", of.run.id, own.query.tobytes()),
        lambda _job: imageset.find_nearest(own.among, own.query, MAX_NEIGHBOURS),
        "Looking for the neighbours of your picture",
    )
    st.markdown("**Most like your picture** *(nearest neighbours)*")
    show.write(imageset.PLACEMENT_NOTE, quiet=True)
    if near is None:
        return
    tiles = [
        thumbnail_grid.Tile(int(row), f"{of.words(int(row))}, distance {far:.2f}")
        for row, far in zip(*near, strict=True)
    ]

    def take(row: int) -> None:
        selection.open_picture(of.pictures, row)

    thumbnail_grid.render_grid(
        of.pictures, tiles, "near_own", "The pictures most like yours", take, current=selection.current_row(of.pictures)
    )
