"""A grid of small pictures from any source; a click sends a picture's number."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st
from PIL import Image, ImageOps

from pages.ui.widgets.component import create_component
from pages.ui.widgets.words import format_label

# Pixels of a picture for each of the page: most screens of phones have two or more.
PIXEL_RATIO = 2
MAX_TINY_PX = 64
Box = tuple[float, float, float, float]

_grid = create_component("thumbs", "thumbs.js")


@dataclass(frozen=True)
class Item:
    """One picture: its number, a data URL, description, caption, and a frame on it (left, top, right, bottom; 0 to 1).

    `is_tiny`: the pixels are to be seen.
    """

    number: int
    source: str
    words: str
    caption: str = ""
    is_tiny: bool = False
    box: Box | None = None


def encode_picture(picture: Image.Image, side: int) -> tuple[str, bool]:
    """Return a picture as a data URL, and True for a tiny one, whose pixels are to be seen."""
    tiny, buffer = max(picture.size) <= MAX_TINY_PX, io.BytesIO()
    is_clear = picture.mode == "RGBA"
    small = picture if tiny else ImageOps.contain(picture, (side, side), Image.Resampling.BICUBIC)
    kind = "PNG" if tiny or is_clear else "JPEG"
    (small if is_clear else small.convert("RGB")).save(buffer, kind, quality=85)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}", tiny


def render_items(
    items: Sequence[Item], key: str, label: str, take: Callable[[int], None], size: int, current: int | None = None
) -> None:
    """Render pictures, each at least `size` wide; `take` gets the number that is clicked, `current` looks pressed."""
    numbers = {item.number for item in items}

    def take_click() -> None:
        number = st.session_state[key].get("picked")
        if number in numbers:
            take(number)

    entries = [
        {
            "row": item.number,
            "src": item.source,
            "tiny": item.is_tiny,
            "box": item.box,
            "words": format_label(item.words),
            "caption": format_label(item.caption),
        }
        for item in items
    ]
    _grid(
        key=key,
        data={"items": entries, "current": current, "label": format_label(label), "size": size},
        on_picked_change=take_click,
    )
