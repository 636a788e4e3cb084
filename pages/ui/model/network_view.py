"""The network as a map, its table, and what five of its depths answer to in the picture in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

import xai_core
from pages.ui.imageset import clickable_tables
from pages.ui.model import layer_view, navigation, reading
from pages.ui.widgets import background, picture_grid, show
from pages.ui.widgets.component import create_component
from xai_core import Job, inside
from xai_core.formatting import number, percent
from xai_core.inside import Block
from xai_core.render import overlay

_map = create_component("network", "network.js")
MAPS_A_STAGE, STAGE_PX = 3, 96
# What such networks were found to do, from the first layers to the last (Zeiler and Fergus 2014; Olah et al. 2017).
STAGES = (
    ("Edges and colours", "The first layers see small patches: light beside dark, one colour beside another."),
    ("Textures", "The next ones put edges together: fur, leaves, mesh, writing."),
    ("Patterns", "Then repeated shapes and larger patterns: stripes, circles, grids."),
    ("Parts", "Deeper layers answer to parts of things: an eye, a wheel, a handle."),
    ("Objects", "The last ones answer to whole objects and scenes, wherever they are in the picture."),
)


def short_number(count: int) -> str:
    """Return a large number in words: "4.65 million"."""
    if count >= 10**9:
        return f"{number(count / 10**9)} billion"
    return f"{number(count / 10**6)} million" if count >= 10**6 else f"{count:,}"


def _describe_block(block: Block) -> str:
    size = (
        f"{block.channels} maps of {block.grid[0]} × {block.grid[1]} places"
        if block.grid
        else "numbers without a place in the picture"
    )
    return f"{block.name}: {size}, {block.parameters:,} parameters, {short_number(block.cost)} multiply-adds"


def _count_numbers(block: Block) -> int:
    """Return how many numbers a block without maps hands on, places left out."""
    shape = block.rows[-1].shape
    return 0 if not shape else shape[0] if len(shape) == 3 else shape[-1]


def render_map(model: xai_core.Classifier, blocks: Sequence[Block]) -> None:
    """Render the blocks as boxes; a click opens a block's last layer."""
    entries = [
        {
            "number": number,
            "words": _describe_block(block),
            "rows": block.grid[0] if block.grid else 0,
            "channels": block.channels or _count_numbers(block),
        }
        for number, block in enumerate(blocks)
    ]

    def take_click() -> None:
        number = st.session_state["network_map"].get("picked")
        if isinstance(number, int) and 0 <= number < len(blocks) and (layer := blocks[number].layer):
            navigation.open_layer(model, layer)

    label = f"{model.title} from the picture to the answer, one button a block"
    _map(key="network_map", data={"blocks": entries, "label": label}, on_picked_change=take_click)
    show.write(
        "Each box is a block of layers. The higher the box, the larger its maps; the wider, the more maps it has "
        "(channels). Below it: the side of the maps and their number. Click a box to see its maps.",
        quiet=True,
    )
    sides = [block.grid[0] for block in blocks if block.grid]
    channels = [block.channels for block in blocks if block.channels]
    if sides and sides[-1] < sides[0]:
        show.write(
            f"From the first block to the last, the maps shrink from {sides[0]} to {sides[-1]} places a side and "
            f"grow from {channels[0]:,} to {channels[-1]:,} in number: the network gives up where things are, and "
            "learns more about what they are."
        )
    elif not sides:
        show.write("No step of this network keeps maps, so there is nothing to click.")


def render_table(model: xai_core.Classifier, blocks: Sequence[Block]) -> None:
    """Render one line a layer: shape, parameters and cost; a click opens the layer."""
    # Frames of zeros and steps that change nothing are no layers to a reader.
    frames = {layer.name for layer in model.layers() if layer.is_padding} | {
        row.name for block in blocks for row in block.rows if row.kind == "Identity"
    }
    rows = [(block, row) for block in blocks for row in block.rows if row.parameters or row.name not in frames]
    total, cost = sum(block.parameters for block in blocks), sum(block.cost for block in blocks)
    dearest = max(blocks, key=lambda block: block.cost)
    show.write(
        f"{total:,} parameters (learnt numbers) and {short_number(cost)} multiply-adds for one picture. "
        f"Block {dearest.name} alone takes {percent(dearest.cost / max(cost, 1))} of the work."
    )
    frame = pd.DataFrame(
        {
            "Block": [block.name for block, _ in rows],
            "Layer": [row.name for _, row in rows],
            "Kind": [row.kind for _, row in rows],
            "Output shape": [" × ".join(map(str, row.shape)) for _, row in rows],
            "Parameters": [row.parameters for _, row in rows],
            "Cost (multiply-adds)": [row.cost for _, row in rows],
        }
    )

    def take(place: int, _column: str) -> None:
        layer = rows[place][1].layer or rows[place][0].layer
        if layer:
            navigation.open_layer(model, layer)

    bars = {
        name: clickable_tables.bar_column(name, int(frame[name].max()), "localized")
        for name in ("Parameters", "Cost (multiply-adds)")
    }
    clickable_tables.draw_table(
        frame, "network_table", take, "Layers with shape, parameters and cost", columns=bars, most=14
    )
    show.write(
        "The output shape of a map layer is channels × rows × columns. Cost is counted as the tool torchinfo prints "
        "it; layers on tokens count at every token, and products between tokens are left out.",
        quiet=True,
    )


def choose_stage_layers(blocks: Sequence[Block], count: int = len(STAGES)) -> list[str]:
    """Return layers with maps, evenly spread from the first block to the last; fewer where there are not so many."""
    names = list(dict.fromkeys(block.layer for block in blocks if block.layer))
    places = np.linspace(0, len(names) - 1, min(count, len(names))).round()
    return [names[int(place)] for place in np.unique(places)]


def _open_channel(layer: str, channel: int) -> None:
    navigation.open_unit(f"channel:{layer}:{channel}")


Stage = list[tuple[int, str, bool]]


def _draw_stages(
    model: xai_core.Classifier, image: Image.Image, names: Sequence[str], job: Job[Any]
) -> Mapping[str, Stage]:
    """Return the strongest channels of each layer with their maps over the picture, as (channel, data URL, tiny)."""
    job.expect(len(names))
    model_input, stages = model.preprocessing.model_input(image), {}
    for name in names:
        maps = inside.activations(model, image, name, job)
        strongest = np.argsort(-maps.strength, kind="stable")[:MAPS_A_STAGE].tolist()
        drawn = ((channel, overlay(model_input, maps.values[channel])) for channel in strongest)
        stages[name] = [
            (channel, *picture_grid.encode_picture(picture, picture_grid.PIXEL_RATIO * STAGE_PX))
            for channel, picture in drawn
        ]
        job.tick(1)
    return stages


def render_stages(model: xai_core.Classifier, image: Image.Image, blocks: Sequence[Block]) -> None:
    """Render the text on what layers of rising depth see, with this model's own maps for the picture in use."""
    names = choose_stage_layers(blocks)
    stages = background.compute(
        ("stages", *reading.picture_key(model, image)),
        partial(_draw_stages, model, image, names),
        "Looking at five depths",
        cost=len(names),
    )
    if stages is None:
        return
    texts = STAGES if len(names) == len(STAGES) else [("", "")] * len(names)
    for depth, ((title, text), name) in enumerate(zip(texts, names, strict=True)):
        left, right = st.columns([2, 3], vertical_alignment="center")
        with left:
            st.markdown(f"**{title or name}**")
            show.write(text)
            show.write(f"Here: layer {name}, {layer_view.describe_stage(model, name)}.", quiet=True)
        with right:
            items = [
                picture_grid.Item(channel, source, f"Channel {channel} of {name}", f"channel {channel}", tiny)
                for channel, source, tiny in stages[name]
            ]
            picture_grid.render_items(
                items, f"stage_{depth}", f"The strongest maps of {name}", partial(_open_channel, name), STAGE_PX
            )
    if model.preprocessing.channels == 1:
        show.write(
            "The stages were found in networks for photographs. A network for grey drawings has no fur or wheels to "
            "find: its stages are strokes, bends, loops and whole signs.",
            quiet=True,
        )
    show.write(
        "Orange marks where a channel is strongest in your picture. The names of the stages are what researchers "
        "found in many networks (Zeiler and Fergus 2014; Olah and others 2017). Whether a channel of this network "
        "fits them, you can check on its own page: click it.",
        quiet=True,
    )
