"""The comparison viewer: one card a map, coloured, scaled, read and saved in the browser without asking the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image

import xai_core
from pages.ui.widgets.component import create_component
from pages.ui.widgets.words import format_label
from xai_core import trust
from xai_core.formatting import duration
from xai_core.render import WireMap, format_headline, scales, wire_map, wire_palettes, wire_picture
from xai_core.results import Attribution

State = Literal["done", "working", "waiting", "failed", "cancelled"]

_viewer = create_component("viewer", "viewer_map.js", "viewer_sheet.js", "viewer.js")


@dataclass(frozen=True)
class Panel:
    """One card of the viewer: titles, a sentence (by palette) on how to read it, and its map once there is one.

    `caption` is an extra line such as the layer. `message` replaces the note on the picture while there is no map:
    an error or the place in the queue. Cards of one `row` stand together under its title and share a scale.
    `picture` is what the model saw, where it is not the picture of all cards.
    """

    id: str
    title: str
    name: str
    sentence: Mapping[str, str]
    state: State
    attribution: Attribution | None = None
    caption: str = ""
    message: str = ""
    row: str = ""
    picture: Image.Image | None = None
    growing: WireMap | None = None
    """The map as far as it is known, while there is no finished one."""


def _format_cost(attribution: Attribution) -> str:
    passes = attribution.evaluations
    return f"{duration(attribution.seconds)} · {passes:,} evaluation{'' if passes == 1 else 's'}"


def _encode_verdict(verdict: xai_core.MapVerdict) -> dict[str, Any]:
    tests = len(verdict.tests)
    count = f" · {tests} test{'' if tests == 1 else 's'}" if verdict.state == "fine" else ""
    return {
        "state": verdict.state,
        "title": f"{verdict.title}{count}",
        "summary": verdict.summary,
        "findings": [
            {"level": finding.level, "sentence": finding.sentence}
            for finding in verdict.findings
            # What every map passes would look like a test.
            if finding.level != "green" or finding in verdict.tests
        ],
        "untested": list(verdict.untested),
    }


def _encode_words_to_save(attribution: Attribution) -> dict[str, Any]:
    """Return the words of a saved picture that are not on its card: class with probability, model and layer."""
    name = attribution.model
    model = xai_core.MODELS.get(name).title if name in xai_core.MODELS else format_label(name)
    layer = f"Layer: {format_label(attribution.layer)}" if attribution.layer else ""
    return {"headline": format_headline(attribution), "lines": [line for line in (f"Model: {model}", layer) if line]}


def _judge_panels(panels: Sequence[Panel]) -> dict[str, xai_core.MapVerdict]:
    """Return the verdict on each finished map, by card id."""
    done = {panel.id: panel.attribution for panel in panels if panel.state == "done" and panel.attribution is not None}
    maps = list(done.values())
    # What was tested on request counts too; nothing is computed here.
    tests, notes = [trust.find_tests(result) for result in maps], [trust.describe_record(result) for result in maps]
    return dict(zip(done, xai_core.judge(maps, tests, notes), strict=True))


def _encode_panel(
    panel: Panel, shared_scale: float | None, picture: int, verdict: xai_core.MapVerdict | None
) -> dict[str, Any]:
    card: dict[str, Any] = {
        "id": panel.id,
        "title": panel.title,
        "name": panel.name,
        "sentence": panel.sentence,
        "state": panel.state,
    }
    card |= {"caption": panel.caption, "message": panel.message, "row": panel.row, "picture": picture}
    card |= {"verdict": None, "cost": "", "map": panel.growing, "saved": None}
    result = panel.attribution
    if panel.state != "done" or result is None:
        return card
    card |= {
        "map": wire_map(result, shared_scale),
        "cost": _format_cost(result),
        "saved": _encode_words_to_save(result),
    }
    if verdict is not None:
        card["verdict"] = _encode_verdict(verdict)
    return card


def _shared_scales(panels: Sequence[Panel]) -> dict[str, float]:
    """Return the common scale of the finished maps of each row, by card id."""
    shared: dict[str, float] = {}
    for row in dict.fromkeys(panel.row for panel in panels):
        done = {p.id: p.attribution for p in panels if p.row == row and p.state == "done" and p.attribution is not None}
        shared |= zip(done, scales(list(done.values()), shared=True), strict=True)
    return shared


def show_maps(picture: Image.Image, panels: Sequence[Panel], *, key: str) -> None:
    """Draw the cards in the given order over the model input `picture`; `key` must not change between runs."""
    shared, verdicts = _shared_scales(panels), _judge_panels(panels)
    own = [panel.picture or picture for panel in panels]
    pictures = {id(image): image for image in own}
    places = {name: place for place, name in enumerate(pictures)}
    cards = [
        _encode_panel(panel, shared.get(panel.id), places[id(image)], verdicts.get(panel.id))
        for panel, image in zip(panels, own, strict=True)
    ]
    _viewer(
        key=key,
        data={"pictures": list(map(wire_picture, pictures.values())), "palettes": wire_palettes(), "panels": cards},
    )
