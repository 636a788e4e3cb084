"""Stages of a network: its maps of the picture in use at five depths, and the pictures of a set they answer to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from PIL import Image

import xai_core
from pages.ui.imageset import page_context, set_choice
from pages.ui.model import layer_view, navigation, reading
from pages.ui.widgets import background, forms, picture_grid, show
from xai_core import Job, imageset, inside
from xai_core.formatting import number
from xai_core.imageset import Favourite, ImageSet
from xai_core.inside import Block
from xai_core.render import overlay

MAPS_A_STAGE, PICTURES_A_STAGE, STAGE_PX = 3, 3, 96
# Pictures of a set that is searched without being asked for: a few seconds, and never again.
MAX_UNASKED = 300
# What such networks were found to do, from the first layers to the last (Zeiler and Fergus 2014; Olah et al. 2017).
STAGES = (
    ("Edges and colours", "The first layers see small patches: light beside dark, one colour beside another."),
    ("Textures", "The next ones put edges together: fur, leaves, mesh, writing."),
    ("Patterns", "Then repeated shapes and larger patterns: stripes, circles, grids."),
    ("Parts", "Deeper layers answer to parts of things: an eye, a wheel, a handle."),
    ("Objects", "The last ones answer to whole objects and scenes, wherever they are in the picture."),
)


class StageMap(NamedTuple):
    """Map of a channel over the picture in use, as a data URL; `is_tiny`: its pixels are to be seen."""

    channel: int
    source: str
    is_tiny: bool


class FavouritePicture(NamedTuple):
    """Picture of a set as a data URL beside what it is to a channel."""

    favourite: Favourite
    source: str
    is_tiny: bool


def choose_stage_layers(blocks: Sequence[Block], count: int = len(STAGES)) -> list[str]:
    """Return layers with maps, evenly spread from the first block to the last; fewer where there are not so many."""
    names = list(dict.fromkeys(block.layer for block in blocks if block.layer))
    places = np.linspace(0, len(names) - 1, min(count, len(names))).round()
    return [names[int(place)] for place in np.unique(places)]


def _open_channel(layer: str, channel: int) -> None:
    navigation.open_unit(f"channel:{layer}:{channel}")


def _draw_maps(
    model: xai_core.Classifier, image: Image.Image, names: Sequence[str], job: Job[Any]
) -> Mapping[str, list[StageMap]]:
    """Return the strongest channels of each layer with their maps over the picture."""
    job.expect(len(names))
    model_input, stages = model.preprocessing.model_input(image), {}
    for name in names:
        maps = inside.activations(model, image, name, job)
        strongest = np.argsort(-maps.strength, kind="stable")[:MAPS_A_STAGE].tolist()
        drawn = ((channel, overlay(model_input, maps.values[channel])) for channel in strongest)
        stages[name] = [
            StageMap(channel, *picture_grid.encode_picture(picture, picture_grid.PIXEL_RATIO * STAGE_PX))
            for channel, picture in drawn
        ]
        job.tick(1)
    return stages


def _find_favourites(
    model: xai_core.Classifier, dataset: ImageSet, channels: Mapping[str, int], job: Job[Any]
) -> Mapping[str, list[FavouritePicture]]:
    """Return the pictures of a set that one channel of each layer answers to most, as the model sees them."""

    def encode(favourite: Favourite) -> FavouritePicture:
        seen = model.preprocessing.model_input(dataset.open(favourite.row))
        return FavouritePicture(favourite, *picture_grid.encode_picture(seen, picture_grid.PIXEL_RATIO * STAGE_PX))

    stages = imageset.find_favourites(model, dataset, channels, PICTURES_A_STAGE, job)
    return {name: [encode(favourite) for favourite in favourites] for name, favourites in stages.items()}


def render_stages(model: xai_core.Classifier, image: Image.Image, blocks: Sequence[Block]) -> None:
    """Render the text on what layers of rising depth see, with this model's own maps and favourite pictures."""
    names = choose_stage_layers(blocks)
    maps = background.compute(
        ("stages", *reading.picture_key(model, image)),
        partial(_draw_maps, model, image, names),
        "Looking at five depths",
        cost=len(names),
    )
    if maps is None:
        return
    favourites = _request_favourites(model, {name: stage[0].channel for name, stage in maps.items()})
    texts = STAGES if len(names) == len(STAGES) else [("", "")] * len(names)
    for depth, ((title, text), name) in enumerate(zip(texts, names, strict=True)):
        left, right = st.columns([2, 3], vertical_alignment="center")
        with left:
            st.markdown(f"**{title or name}**")
            show.write(text)
            show.write(f"Here: layer {name}, {layer_view.describe_stage(model, name)}.", quiet=True)
        with right:
            _render_maps(depth, name, maps[name])
            if favourites is not None:
                _render_favourites(depth, name, maps[name][0].channel, favourites[name])
    _render_notes(model)


def _request_favourites(
    model: xai_core.Classifier, channels: Mapping[str, int]
) -> Mapping[str, list[FavouritePicture]] | None:
    """Return the favourites of one channel of each layer; of a large set only on request. None while there are none."""
    dataset = set_choice.current_set()
    if dataset is None or not channels:
        return None
    page_context.render_set_link(dataset, "Its favourites come from")
    count = page_context.count_pictures(len(dataset))
    is_wanted = len(dataset) <= MAX_UNASKED or forms.render_toggle(
        "favourites", "Search this set for what each stage answers to most", f"The network looks at {count}."
    )
    if not is_wanted:
        return None
    return background.compute(
        ("stage favourites", model.name, model.weights_sha256, dataset.id, tuple(channels.items())),
        partial(_find_favourites, model, dataset, channels),
        f"Searching {count} for what each stage answers to most",
        cost=len(dataset),
    )


def _render_maps(depth: int, name: str, stage: Sequence[StageMap]) -> None:
    items = [
        picture_grid.Item(
            shown.channel, shown.source, f"Channel {shown.channel} of {name}", f"channel {shown.channel}", shown.is_tiny
        )
        for shown in stage
    ]
    picture_grid.render_items(
        items, f"stage_{depth}", f"The strongest maps of {name}", partial(_open_channel, name), STAGE_PX
    )


def _render_favourites(depth: int, name: str, channel: int, pictures: Sequence[FavouritePicture]) -> None:
    show.write(f"Channel {channel} answers most to:", quiet=True)
    items = [
        picture_grid.Item(
            picture.favourite.row,
            picture.source,
            f"Picture {place} that channel {channel} of {name} answers to most",
            number(picture.favourite.value),
            picture.is_tiny,
            picture.favourite.box,
        )
        for place, picture in enumerate(pictures, 1)
    ]
    picture_grid.render_items(
        items,
        f"stage_liked_{depth}",
        f"The pictures that channel {channel} of {name} answers to most",
        lambda _row: _open_channel(name, channel),
        STAGE_PX,
    )


def _render_notes(model: xai_core.Classifier) -> None:
    if model.preprocessing.channels == 1:
        show.write(
            "The stages were found in networks for photographs. A network for grey drawings has no fur or wheels to "
            "find: its stages are strokes, bends, loops and whole signs.",
            quiet=True,
        )
    show.write(
        "Orange marks where a channel is strongest in your picture. Below stand the pictures of the set that the first "
        "of the three answers to most, framed where it responds. The names of the stages are what researchers found in "
        "many networks (Zeiler and Fergus 2014; Olah and others 2017). Whether a channel of this network fits them, "
        "you can check on its own page: click it.",
        quiet=True,
    )
