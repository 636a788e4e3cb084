"""Shared parts of figures about tables: colours readable on light and dark, safe words, one frame."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from xai_core.formatting import number, printable
from xai_core.render.colour import PALETTES

Trace = dict[str, Any]


def _hex(colour: Iterable[int]) -> str:
    red, green, blue, *_ = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


def _rgba(colour: Sequence[int]) -> str:
    red, green, blue, alpha = colour
    return f"rgba({red}, {green}, {blue}, {alpha / 255:.2f})"


_SIGNED, _OTHER, _EVEN = PALETTES["orange_blue"].signed, PALETTES["purple_green"].signed, PALETTES["even"].unsigned
# Orange for, blue against: the colours of the maps.
FOR, AGAINST = _hex(_SIGNED[255].tolist()), _hex(_SIGNED[1].tolist())
LINE, QUIET = "#2f8a9b", "#7d8a91"
# Text on a filled cell, readable through its colour and the page's.
INK, INK_ON_DARK = "#16232a", "#f4f7f8"
# The row in question, and a second line beside the first.
ROW, SECOND = _hex(_OTHER[255].tolist()), _hex(_OTHER[1].tolist())
# Colour scale from low to high, without its darkest part: lines in it must be seen on a dark page too.
EVEN = [[step / 10, _hex(_EVEN[64 + round(17 * step)].tolist())] for step in range(11)]
# From the strongest against over nothing at all to the strongest for.
SIGNED = [[step / 20, _rgba(_SIGNED[1 + round(12.7 * step)].tolist())] for step in range(21)]
MAX_LABEL = 24


@dataclass(frozen=True, eq=False)
class Drawing:
    """A Plotly figure and, in words, what it shows: for someone who cannot see it, and for the line below it."""

    figure: Any
    alt: str
    caption: str = ""


def with_opacity(colour: str, opacity: float) -> str:
    """Return a hex colour as rgba() with an opacity from 0 to 1."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def share_color(share: float) -> str:
    """Return the colour of a share, 0 low to 1 high; grey where there is none."""
    return QUIET if not math.isfinite(share) else str(EVEN[round(10 * min(max(share, 0.0), 1.0))][1])


def escape_label(text: object, limit: int = MAX_LABEL) -> str:
    """Return foreign text as one short line that Plotly reads neither as markup nor as a template."""
    line = printable(text)
    short = line if len(line) <= limit else f"{line[: limit - 1]}…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "%\u2060{")


def wrap_labels(texts: Iterable[object]) -> list[str]:
    """Return distinct labels that may take a second line: a condition without its end says nothing."""
    unique: list[str] = []
    for text in texts:
        lines = wrap(printable(text), MAX_LABEL, max_lines=2, placeholder="…")
        label = "<br>".join(escape_label(line) for line in lines)
        unique.append(label if label not in unique else f"{label} ({len(unique) + 1})")
    return unique


def escape_labels(texts: Iterable[object], limit: int = MAX_LABEL) -> list[str]:
    """Return distinct labels for the ticks of an axis: what became equal gets a number."""
    unique: list[str] = []
    for text in texts:
        short = escape_label(text, limit)
        unique.append(short if short not in unique else f"{short} ({len(unique) + 1})")
    return unique


def signed_number(value: float) -> str:
    """Return a number with its sign and a proper minus."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{number(abs(value))}"


def signed_points(value: float) -> str:
    """Return a difference of two shares in percentage points, with its sign; small ones keep a decimal."""
    size = 100 * abs(value)
    if 0 < size < 0.05:
        return "under 0.1 points"
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{size:.0f} points" if size >= 9.5 or size == 0 else f"{sign}{size:.1f} points"


def build_figure(
    traces: Sequence[Trace],
    *,
    height: int,
    x: str = "",
    y: str = "",
    axes: Mapping[str, Any] | None = None,
    legend: bool = False,
) -> Any:
    """Return a Plotly figure of these traces.

    Nothing in it can be dragged: on a phone a finger on it scrolls the page.
    """
    import plotly.graph_objects as go  # type: ignore[import-untyped]

    own = dict(axes or {})
    axis = {"fixedrange": True, "automargin": True, "zeroline": False, "separatethousands": True}
    layout: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 12, "b": 8},
        "showlegend": legend,
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        "dragmode": False,
        "hoverlabel": {"align": "left"},
        "bargap": 0.25,
        "xaxis": axis | {"title": {"text": escape_label(x, 60)}} | own.pop("xaxis", {}),
        "yaxis": axis | {"title": {"text": escape_label(y, 60)}} | own.pop("yaxis", {}),
    }
    return go.Figure(data=list(traces), layout=layout | own)


def no_hover() -> Trace:
    """Return the properties of a trace that only draws."""
    return {"hoverinfo": "skip", "showlegend": False}
