"""Bars and dots: how much each feature counts, for all rows or for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xai_core.render.tables.style import (
    AGAINST,
    EVEN,
    FOR,
    LINE,
    QUIET,
    Drawing,
    Floats,
    Trace,
    frame,
    hidden_hover,
    label,
    labels,
    number,
    percent,
    seen,
    signed_number,
)

MAX_BARS = 12
"""What is less important is put together in one bar."""
_BAR, _FRAME = 27, 74


def _height(bars: int) -> int:
    return _BAR * bars + _FRAME


def _strongest(names: Sequence[str], values: Floats, most: int = MAX_BARS) -> tuple[list[str], Floats]:
    """The largest by size, first; the sum of all others last."""
    order = np.argsort(-np.abs(np.nan_to_num(values)), kind="stable")
    first, rest = order[:most], order[most:]
    kept, sizes = [str(names[place]) for place in first], values[first]
    if rest.size:
        kept, sizes = [*kept, f"{rest.size} others together"], np.append(sizes, values[rest].sum())
    return kept, sizes


def _from_the_top(names: Sequence[str]) -> dict[str, Any]:
    return {"yaxis": {"autorange": "reversed", "tickvals": list(range(len(names))), "ticktext": labels(names)}}


def _extremes(names: Sequence[str], values: Floats, unit: str) -> str:
    """Which counts most in each direction, in a sentence each."""
    said = []
    for way, best, fits in (
        ("up", int(np.argmax(values)), values.max() > 0),
        ("down", int(np.argmin(values)), values.min() < 0),
    ):
        if fits:
            said.append(
                f"Pushes most {way}: {names[best]} ({signed_number(float(values[best]))} {unit}).".replace(" )", ")")
            )
    return " ".join(said) or "No feature pushes in any direction."


def _bars(values: Floats, colours: Sequence[str], texts: Sequence[str]) -> Trace:
    hover = {"text": list(texts), "hoverinfo": "text", "textposition": "none"}
    return {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": list(range(len(values))),
        "marker": {"color": list(colours)},
        **hover,
    }


def draw_signed_bars(names: Sequence[str], values: Floats, unit: str = "", most: int = MAX_BARS) -> Drawing:
    """One bar a feature (F,), orange to the right for, blue to the left against; the strongest first."""
    kept, sizes = _strongest(names, np.asarray(values, dtype=float), most)
    colours = [FOR if size >= 0 else AGAINST for size in sizes]
    hover = [f"{label(name, 60)}: {signed_number(size)} {label(unit)}" for name, size in zip(kept, sizes, strict=True)]
    figure = frame([_bars(sizes, colours, hover)], height=_height(len(kept)), x=unit, axes=_from_the_top(kept))
    figure.update_xaxes(zeroline=True, zerolinecolor=QUIET)
    return Drawing(figure, _extremes(kept, sizes, unit))


def draw_waterfall(names: Sequence[str], values: Floats, base: float, unit: str = "", most: int = MAX_BARS) -> Drawing:
    """From the average prediction `base`, one step a feature (F,), to the prediction of this row. The steps add up."""
    kept, sizes = _strongest(names, np.asarray(values, dtype=float), most)
    starts = base + np.concatenate([[0.0], np.cumsum(sizes)[:-1]])
    end = base + float(sizes.sum())
    places = ["Average of all rows", *kept, "This row"]
    tops, bottoms = np.concatenate([[base], sizes, [end]]), np.concatenate([[0.0], starts, [0.0]])
    low = min(base, end, float((starts + sizes).min()), float(starts.min()))
    high = max(base, end, float((starts + sizes).max()), float(starts.max()))
    colours = [QUIET, *(FOR if size >= 0 else AGAINST for size in sizes), LINE]
    texts = [number(base), *(signed_number(size) for size in sizes), number(end)]
    trace = _bars(
        tops, colours, [f"{label(name, 60)}: {text} {label(unit)}" for name, text in zip(places, texts, strict=True)]
    )
    figure = frame([trace | {"base": bottoms}], height=_height(len(places)), x=unit, axes=_from_the_top(places))
    pad = 0.06 * (high - low or 1.0)
    figure.update_xaxes(range=[low - pad, high + pad])
    alt = f"From {number(base)}, the average, to {number(end)}, this row. {_extremes(kept, sizes, unit)}"
    return Drawing(figure, alt)


def draw_error_bars(
    names: Sequence[str], values: Floats, errors: Floats, unit: str = "", most: int = MAX_BARS
) -> Drawing:
    """One dot a feature (F,) with its spread (F,) to both sides, the largest first; the weakest are left out and counted."""
    order = np.argsort(-np.asarray(values, dtype=float), kind="stable")[:most]
    kept, sizes, spread = [str(names[place]) for place in order], np.asarray(values)[order], np.asarray(errors)[order]
    hover = [
        f"{label(n, 60)}: {number(v)} ± {number(e)} {label(unit)}" for n, v, e in zip(kept, sizes, spread, strict=True)
    ]
    bars = {"type": "data", "array": spread, "color": QUIET, "thickness": 2, "width": 4}
    figure = frame(
        [_bars(sizes, [LINE] * len(kept), hover) | {"error_x": bars}],
        height=_height(len(kept)),
        x=unit,
        axes=_from_the_top(kept),
    )
    left = len(names) - len(kept)
    caption = f"{left} features that count less are not shown." if left else ""
    return Drawing(
        figure,
        f"Counts most: {', '.join(f'{n} ({number(v)})' for n, v in zip(kept[:3], sizes, strict=False))}.",
        caption,
    )


def draw_bars(names: Sequence[str], values: Floats, unit: str = "", most: int = 20) -> Drawing:
    """One bar a name (F,), in the order given."""
    kept, sizes = list(names[:most]), np.asarray(values, dtype=float)[:most]
    hover = [f"{label(name, 60)}: {number(size)} {label(unit)}" for name, size in zip(kept, sizes, strict=True)]
    figure = frame(
        [_bars(sizes, [LINE] * len(kept), hover)], height=_height(len(kept)), x=unit, axes=_from_the_top(kept)
    )
    left = len(names) - len(kept)
    alt = "; ".join(f"{name}: {number(size)}" for name, size in zip(kept, sizes, strict=True)) + "."
    return Drawing(figure, alt, f"{left} more are not shown." if left else "")


def draw_intervals(
    names: Sequence[str], values: Floats, low: Floats, high: Floats, unit: str = "", *, shares: bool = False
) -> Drawing:
    """One dot a group (G,) with the interval that its true value lies in; groups without a value have no dot.

    `shares`: the values are shares, shown in percent from 0 to 100, so that figures of several rates can be compared.
    """
    words = percent if shares else number
    values, low, high = (np.asarray(each, dtype=float) for each in (values, low, high))
    said = [
        f"{name}: {words(v)} ({words(a)} to {words(b)})" if np.isfinite(v) else f"{name}: no rows to tell"
        for name, v, a, b in zip(names, values, low, high, strict=True)
    ]
    error = {
        "type": "data",
        "symmetric": False,
        "array": high - values,
        "arrayminus": values - low,
        "color": LINE,
        "thickness": 3,
        "width": 6,
    }
    dots: Trace = {
        "type": "scatter",
        "mode": "markers",
        "marker": {"size": 11, "color": LINE},
        "error_x": error,
        "hoverinfo": "text",
    }
    dots |= {"x": values, "y": list(range(len(values))), "hovertext": [label(text, 90) for text in said]}
    axes = _from_the_top(names)
    axes["yaxis"] = axes["yaxis"] | {"autorange": False, "range": [len(names) - 0.5, -0.5]}
    if shares:
        axes["xaxis"] = {"range": [-0.03, 1.03], "tickformat": ".0%"}
    return Drawing(frame([dots], height=_height(len(names)) + 10, x=unit, axes=axes), "; ".join(said) + ".")


def _spread(values: Floats, bins: int = 40) -> Floats:
    """How far each dot moves from its line, -0.4 to 0.4, so that dots of nearly equal value lie beside each other."""
    width = float(np.ptp(values)) or 1.0
    place = np.minimum(((values - values.min()) / width * bins).astype(int), bins - 1)
    turn = np.zeros(len(values))
    for each in np.unique(place):
        inside = np.flatnonzero(place == each)
        turn[inside] = (np.arange(inside.size) + 1) // 2 * np.where(np.arange(inside.size) % 2, 1, -1)
    return 0.4 * turn / max(float(np.abs(turn).max()), 8.0)


def _shares(column: Floats) -> Floats:
    """Low 0 to high 1, by rank, so that one far value does not paint all others alike; NaN where there is no number."""
    known = np.isfinite(column)
    shares = np.full(len(column), np.nan)
    levels, ranks = np.unique(column[known], return_inverse=True)
    shares[known] = ranks / max(len(levels) - 1, 1)
    return shares


def draw_swarm(names: Sequence[str], values: Floats, data: Floats, unit: str = "", most: int = MAX_BARS) -> Drawing:
    """One line a feature and one dot a row: contributions (n, F) left to right, coloured by the feature's value in that row (n, F)."""
    order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:most]
    kept, traces = [str(names[place]) for place in order], []
    for line, place in enumerate(order):
        shares = _shares(np.asarray(data[:, place], dtype=float))
        marker = {
            "size": 5,
            "opacity": 0.8,
            "color": np.nan_to_num(shares, nan=0.5),
            "colorscale": EVEN,
            "cmin": 0,
            "cmax": 1,
        }
        if line == 0:
            bar = {
                "title": {"text": "Value", "side": "right"},
                "tickvals": [0, 1],
                "ticktext": ["low", "high"],
                "thickness": 10,
            }
            marker |= {"colorbar": bar, "showscale": True}
        dots = {
            "type": "scatter",
            "mode": "markers",
            "x": values[:, place],
            "y": line + _spread(values[:, place]),
            "marker": marker,
        }
        traces.append(dots | hidden_hover())
    figure = frame(traces, height=_height(len(kept)) + 20, x=unit, axes=_from_the_top(kept))
    figure.update_xaxes(zeroline=True, zerolinecolor=seen(QUIET, 0.8))
    figure.update_yaxes(autorange=False, range=[len(kept) - 0.4, -0.6])
    sizes = np.abs(values).mean(axis=0)[order]
    alt = (
        f"Counts most over all rows: {', '.join(f'{n} ({number(v)})' for n, v in zip(kept[:3], sizes, strict=False))}."
    )
    left = len(names) - len(kept)
    return Drawing(figure, alt, f"{left} features that count less are not shown." if left else "")
