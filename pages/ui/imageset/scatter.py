"""The scatter component: points are drawn, moved and selected in the browser, which sends only the selection.

Positions, colours, words and thumbnails are media files of Streamlit, whose addresses are hashes of their content:
a rerun sends a few hundred bytes, and the browser fetches only what is new to it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import streamlit as st
from streamlit import runtime

from pages.ui.widgets.component import create_component
from xai_core.render import ACROSS, PointColors, Thumbs, draw_sheets, name_thumbs

Kind = Literal["click", "lasso", "clear"]
KINDS: tuple[Kind, ...] = ("click", "lasso", "clear")
# Groups of the legend that are seen at once; the others open below.
MAX_LEGEND = 12

_scatter = create_component(
    "scatter", "scatter_view.js", "scatter_draw.js", "scatter_pixels.js", "scatter_input.js", "scatter.js"
)


@dataclass(frozen=True)
class Event:
    """One point clicked, several enclosed, or the selection cleared; `ids` are those given to the map."""

    kind: Kind
    ids: tuple[int, ...]


@st.cache_resource(max_entries=24, show_spinner=False)
def _cache_sheets(key: str, _thumbs: Thumbs) -> tuple[bytes, ...]:
    return draw_sheets(_thumbs)


def _publish(content: bytes, kind: str, place: str) -> str:
    """Return the URL of this content, valid while this session shows it at `place`."""
    address: str = runtime.get_instance().media_file_mgr.add(content, kind, place)
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{address}" if base else address


def _encode_thumbs(thumbs: Thumbs | npt.NDArray[np.uint8] | None, key: str) -> dict[str, Any] | None:
    if thumbs is None:
        return None
    named = thumbs if isinstance(thumbs, Thumbs) else name_thumbs(thumbs)
    encoded_sheets = _cache_sheets(named.key, named)
    return {
        "across": ACROSS,
        "sheets": [_publish(sheet, "image/jpeg", f"{key}-sheet-{at}") for at, sheet in enumerate(encoded_sheets)],
    }


def _encode_legend(coloured: PointColors | None) -> dict[str, Any]:
    if coloured is None:
        return {"title": "", "entries": [], "shown": MAX_LEGEND, "low": "", "high": "", "ramp": []}
    entries = [{"name": e.name, "colour": e.colour, "shape": e.shape, "count": e.count} for e in coloured.legend]
    ramp = {"low": coloured.low, "high": coloured.high, "ramp": list(coloured.ramp)}
    return {"title": coloured.title, "entries": entries, "shown": MAX_LEGEND, **ramp}


def _text_alternative(count: int, coloured: PointColors | None) -> str:
    """Return the text alternative of the map."""
    if coloured is None or not coloured.legend:
        return f"Map of {count:,} pictures." + (
            f" Colours: {coloured.title}, {coloured.low} to {coloured.high}." if coloured else ""
        )
    largest = sorted(coloured.legend, key=lambda entry: -entry.count)[:MAX_LEGEND]
    more = len(coloured.legend) - len(largest)
    groups = ", ".join(f"{entry.name} ({entry.count:,})" for entry in largest)
    return f"Map of {count:,} pictures. {coloured.title}: {groups}{f' and {more} more' if more else ''}."


def pack_bits(chosen: npt.NDArray[np.bool_]) -> str:
    """Return one bit a point, the first in the lowest bit of the first byte, in base64."""
    return base64.b64encode(np.packbits(chosen, bitorder="little").tobytes()).decode("ascii")


def unpack_bits(text: str, count: int) -> npt.NDArray[np.intp] | None:
    """Return the indices of the points that are set, None where the text is not one bit for each of `count` points."""
    try:
        whole = np.frombuffer(base64.b64decode(text, validate=True), dtype=np.uint8)
    except (binascii.Error, ValueError):
        return None
    if len(whole) != -(-count // 8):
        return None
    return np.flatnonzero(np.unpackbits(whole, count=count, bitorder="little"))


def _parse_event(message: object, version: str, ids: npt.NDArray[np.integer]) -> Event | None:
    """Return the event in a browser's message, None where it is malformed or about other points."""
    if not isinstance(message, Mapping) or message.get("version") != version or message.get("kind") not in KINDS:
        return None
    points = unpack_bits(str(message.get("chosen")), len(ids))
    if points is None or (message["kind"] == "click" and len(points) != 1):
        return None
    return Event(message["kind"], tuple(ids[points].tolist()) if message["kind"] != "clear" else ())


def _store_event(key: str) -> None:
    """Store a message before the page runs, so that this very run draws the map with the new selection."""
    message = getattr(st.session_state.get(key), "event", None)
    if isinstance(message, Mapping):
        st.session_state[f"{key}-said"] = dict(message)
        serial = message.get("serial")
        st.session_state[f"{key}-serial"] = serial if isinstance(serial, int) and 0 <= serial < 2**53 else 0


def _encode_colours(colours: npt.NDArray[np.uint8], shapes: npt.NDArray[np.uint8] | None) -> bytes:
    alpha = np.zeros(len(colours), dtype=np.uint8) if shapes is None else shapes
    return np.column_stack([colours, alpha]).astype(np.uint8).tobytes()


def show_scatter(
    points: npt.NDArray[np.floating],
    colours: npt.NDArray[np.uint8] | PointColors,
    *,
    ids: npt.NDArray[np.integer],
    thumbs: Thumbs | npt.NDArray[np.uint8] | None,
    words: Sequence[str],
    selected: Sequence[int],
    mark: Sequence[float] | None,
    key: str,
    height: int = 520,
    mark_words: str = "Your picture",
) -> Event | None:
    """Draw n points and return the visitor's event, once, else None; the map already shows it in that run.

    `points` (n, 2 or 3), `colours` (n, 3) or a PointColors with its legend, `ids` (n,) unique. `thumbs` has one
    picture a point; a Thumbs of a whole set is cheaper than an array, for it is read once. `words` are shown beside
    them. `selected` are ids; those not on the map do no harm. `mark` is a further point, the visitor's own picture.
    `height` is in CSS pixels.
    """
    if not len(ids):
        st.info("There is no picture to show on a map yet.", icon=":material/info:")
        return None
    coloured = colours if isinstance(colours, PointColors) else None
    looks = (
        _encode_colours(coloured.colours, coloured.shapes) if coloured else _encode_colours(np.asarray(colours), None)
    )
    places = np.ascontiguousarray(points, dtype="<f4").tobytes()
    whole = np.ascontiguousarray(ids, dtype="<i8").tobytes()
    version = hashlib.sha256(b"%d\0" % points.shape[1] + places + whole).hexdigest()[:16]
    event = _parse_event(st.session_state.pop(f"{key}-said", None), version, ids)
    data = {
        "version": version,
        "axes": int(points.shape[1]),
        "points": _publish(places, "application/octet-stream", f"{key}-points"),
        "colours": _publish(looks, "application/octet-stream", f"{key}-colours"),
        "words": _publish(json.dumps(list(words)).encode(), "application/json", f"{key}-words"),
        "thumbs": _encode_thumbs(thumbs, key),
        "chosen": pack_bits(np.isin(ids, np.asarray(event.ids if event else tuple(selected), dtype=np.int64))),
        "serial": st.session_state.get(f"{key}-serial", 0),
        "mark": [float(part) for part in mark] if mark is not None else None,
        "mark_words": mark_words,
        "legend": _encode_legend(coloured),
        "alt": _text_alternative(len(ids), coloured),
        "height": height,
    }
    _scatter(key=key, data=data, on_event_change=partial(_store_event, key))
    return event
