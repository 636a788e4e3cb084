"""The comparison viewer: one card a map, coloured, scaled, read and saved in the browser without asking the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from PIL import Image

from xai_core.render import scales, wire_map, wire_palettes, wire_picture
from xai_core.results import Attribution

State = Literal["done", "working", "waiting", "failed", "cancelled"]

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
_viewer = st.components.v2.component(
    "whybox_viewer",
    css=(_ASSETS / "viewer.css").read_text(encoding="utf-8"),
    # One module: code given inline cannot import a neighbour.
    js="\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in ("viewer_map.js", "viewer_sheet.js", "viewer.js")),
)


@dataclass(frozen=True)
class Panel:
    """One card: plain title, technical name, how to read it, and its map once there is one.

    `caption` is a quiet extra line (the layer used, say). `message` replaces the note on the picture while there is no map:
    the sentence of an error, or the place in the queue.
    """

    id: str
    title: str
    name: str
    sentence: str
    state: State
    attribution: Attribution | None = None
    caption: str = ""
    message: str = ""


def _cost(attribution: Attribution) -> str:
    passes = attribution.evaluations
    return f"{attribution.seconds:.2g} s · {passes:,} evaluation{'' if passes == 1 else 's'}"


def _wire(panel: Panel, shared_scale: float | None) -> dict[str, Any]:
    card: dict[str, Any] = {"id": panel.id, "title": panel.title, "name": panel.name, "sentence": panel.sentence, "state": panel.state}
    card |= {"caption": panel.caption, "message": panel.message, "level": None, "checks": [], "cost": "", "map": None}
    found = panel.attribution
    if panel.state != "done" or found is None:
        return card
    card |= {"map": wire_map(found, shared_scale), "cost": _cost(found)}
    if found.checks:
        card |= {"level": found.level, "checks": [{"level": check.level, "sentence": check.sentence} for check in found.checks]}
    return card


def show_maps(picture: Image.Image, panels: Sequence[Panel], *, key: str) -> None:
    """Draw the cards in the order given. `picture` is what the model saw; `key` must be the same in every run of the page."""
    done = [panel for panel in panels if panel.state == "done" and panel.attribution is not None]
    found = [panel.attribution for panel in done if panel.attribution is not None]
    shared = dict(zip([panel.id for panel in done], scales(found, shared=True), strict=True))
    cards = [_wire(panel, shared.get(panel.id)) for panel in panels]
    _viewer(key=key, data={"picture": wire_picture(picture), "palettes": wire_palettes(), "panels": cards})
