"""The network as a map of its blocks, and its table of layers."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

import xai_core
from pages.ui.imageset import clickable_tables
from pages.ui.model import navigation
from pages.ui.widgets import show
from pages.ui.widgets.component import create_component
from xai_core.formatting import number, percent
from xai_core.inside import Block

_map = create_component("network", "network.js")


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
