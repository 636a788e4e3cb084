"""Bars and dots: how much each feature counts, for all rows or for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xai_core.arrays import Float
from xai_core.formatting import number, percent
from xai_core.render.tables.style import (
    AGAINST,
    EVEN,
    FOR,
    LINE,
    QUIET,
    Drawing,
    Trace,
    build_figure,
    escape_label,
    no_hover,
    signed_number,
    signed_points,
    with_opacity,
    wrap_labels,
)

# Less important features are summed up in one bar.
MAX_BARS = 12
_BAR, _FRAME = 27, 74


def figure_height(bars: int) -> int:
    return _BAR * bars + _FRAME


def select_strongest(names: Sequence[str], values: Float, max_bars: int = MAX_BARS) -> tuple[list[str], Float]:
    """Return names and values of the largest by size; the sum of the rest comes last."""
    order = np.argsort(-np.abs(np.nan_to_num(values)), kind="stable")
    first, rest = order[:max_bars], order[max_bars:]
    names_shown, sizes = [str(names[place]) for place in first], values[first]
    if rest.size:
        names_shown, sizes = [*names_shown, f"{rest.size} others together"], np.append(sizes, values[rest].sum())
    return names_shown, sizes


def axis_from_top(names: Sequence[str]) -> dict[str, Any]:
    return {"yaxis": {"autorange": "reversed", "tickvals": list(range(len(names))), "ticktext": wrap_labels(names)}}


def share_axis(shares: bool) -> dict[str, Any]:
    """Return an axis in percent where the values are shares, else nothing."""
    return {"xaxis": {"tickformat": ".0%"}} if shares else {}


def describe_extremes(names: Sequence[str], values: Float, unit: str, *, shares: bool = False) -> str:
    """Return a sentence on the strongest feature in each direction."""
    words = signed_points if shares else lambda value: f"{signed_number(value)} {unit}".rstrip()
    sentences = []
    for direction, best, exists in (
        ("up", int(np.argmax(values)), values.max() > 0),
        ("down", int(np.argmin(values)), values.min() < 0),
    ):
        if exists:
            sentences.append(f"Pushes most {direction}: {names[best]} ({words(float(values[best]))}).")
    return " ".join(sentences) or "No feature pushes in any direction."


def bar_trace(values: Float, colours: Sequence[str], texts: Sequence[str]) -> Trace:
    hover = {"text": list(texts), "hoverinfo": "text", "textposition": "none"}
    return {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": list(range(len(values))),
        "marker": {"color": list(colours)},
        **hover,
    }


def draw_signed_bars(
    names: Sequence[str], values: Float, unit: str = "", max_bars: int = MAX_BARS, *, shares: bool = False
) -> Drawing:
    """Draw one bar a feature (F,), orange to the right for, blue to the left against; the strongest first.

    `shares`: the values are differences of shares, shown in percentage points.
    """
    words = signed_points if shares else signed_number
    names_shown, sizes = select_strongest(names, np.asarray(values, dtype=float), max_bars)
    colours = [FOR if size >= 0 else AGAINST for size in sizes]
    hover = [
        f"{escape_label(name, 60)}: {words(size)} {'' if shares else escape_label(unit)}"
        for name, size in zip(names_shown, sizes, strict=True)
    ]
    figure = build_figure(
        [bar_trace(sizes, colours, hover)],
        height=figure_height(len(names_shown)),
        x=unit,
        axes=axis_from_top(names_shown) | share_axis(shares),
    )
    figure.update_xaxes(zeroline=True, zerolinecolor=QUIET)
    return Drawing(figure, describe_extremes(names_shown, sizes, unit, shares=shares))


def draw_waterfall(
    names: Sequence[str],
    values: Float,
    base: float,
    unit: str = "",
    max_bars: int = MAX_BARS,
    ends: tuple[str, str] = ("Average of all rows", "This row"),
    end_words: tuple[str, str] = ("the average", "this row"),
    *,
    shares: bool = False,
) -> Drawing:
    """Draw the steps (F,) from `base`, the average prediction, to the prediction of this row; they add up.

    `ends` are the names of the first and the last bar, `end_words` the same within a sentence. `shares`: the values are
    shares, shown in percent, and their steps in percentage points.
    """
    words, step_words = (percent, signed_points) if shares else (number, signed_number)
    names_shown, sizes = select_strongest(names, np.asarray(values, dtype=float), max_bars)
    starts = base + np.concatenate([[0.0], np.cumsum(sizes)[:-1]])
    end = base + float(sizes.sum())
    places = [ends[0], *names_shown, ends[1]]
    tops, bottoms = np.concatenate([[base], sizes, [end]]), np.concatenate([[0.0], starts, [0.0]])
    low = min(base, end, float((starts + sizes).min()), float(starts.min()))
    high = max(base, end, float((starts + sizes).max()), float(starts.max()))
    colours = [QUIET, *(FOR if size >= 0 else AGAINST for size in sizes), LINE]
    texts = [words(base), *(step_words(size) for size in sizes), words(end)]
    trace = bar_trace(
        tops,
        colours,
        [
            f"{escape_label(name, 60)}: {text} {'' if shares else escape_label(unit)}"
            for name, text in zip(places, texts, strict=True)
        ],
    )
    figure = build_figure(
        [trace | {"base": bottoms}],
        height=figure_height(len(places)),
        x=unit,
        axes=axis_from_top(places) | share_axis(shares),
    )
    pad = 0.06 * (high - low or 1.0)
    figure.update_xaxes(range=[low - pad, high + pad])
    way = f"From {words(base)}, {end_words[0]}, to {words(end)}, {end_words[1]}."
    extremes = describe_extremes(names_shown[:max_bars], sizes[:max_bars], unit, shares=shares)
    return Drawing(figure, f"{way} {extremes}")


def draw_error_bars(
    names: Sequence[str],
    values: Float,
    errors: Float,
    unit: str = "",
    max_bars: int = MAX_BARS,
    *,
    shares: bool = False,
) -> Drawing:
    """Draw one bar a feature (F,) with its error (F,), the largest first; the weakest are left out and counted.

    `shares`: the values are differences of shares, shown in percentage points.
    """

    def words(value: float) -> str:
        return signed_points(value).removeprefix("+") if shares else number(value)

    order = np.argsort(-np.asarray(values, dtype=float), kind="stable")[:max_bars]
    names_shown, sizes, spread = (
        [str(names[place]) for place in order],
        np.asarray(values)[order],
        np.asarray(errors)[order],
    )
    hover = [
        f"{escape_label(n, 60)}: {words(v)} ± {words(e)} {escape_label(unit)}"
        for n, v, e in zip(names_shown, sizes, spread, strict=True)
    ]
    bars = {"type": "data", "array": spread, "color": QUIET, "thickness": 2, "width": 4}
    figure = build_figure(
        [bar_trace(sizes, [LINE] * len(names_shown), hover) | {"error_x": bars}],
        height=figure_height(len(names_shown)),
        x=unit,
        axes=axis_from_top(names_shown) | share_axis(shares),
    )
    left = len(names) - len(names_shown)
    caption = f"{left} features that count less are not shown." if left else ""
    return Drawing(
        figure,
        f"Counts most: {', '.join(f'{n} ({words(v)})' for n, v in zip(names_shown[:3], sizes, strict=False))}.",
        caption,
    )


def draw_bars(
    names: Sequence[str], values: Float, unit: str = "", max_bars: int = 20, *, shares: bool = False
) -> Drawing:
    """Draw one bar a name (F,), in the order given; `shares`: the values are shares, shown in percent."""
    words = percent if shares else number
    names_shown, sizes = list(names[:max_bars]), np.asarray(values, dtype=float)[:max_bars]
    hover = [
        f"{escape_label(name, 60)}: {words(size)} {escape_label(unit)}"
        for name, size in zip(names_shown, sizes, strict=True)
    ]
    figure = build_figure(
        [bar_trace(sizes, [LINE] * len(names_shown), hover)],
        height=figure_height(len(names_shown)),
        x=unit,
        axes=axis_from_top(names_shown) | share_axis(shares),
    )
    left = len(names) - len(names_shown)
    alt = "; ".join(f"{name}: {words(size)}" for name, size in zip(names_shown, sizes, strict=True)) + "."
    return Drawing(figure, alt, f"{left} more are not shown." if left else "")


def draw_intervals(
    names: Sequence[str], values: Float, low: Float, high: Float, unit: str = "", *, shares: bool = False
) -> Drawing:
    """Draw one dot a group (G,) with its confidence interval; groups without a value have no dot.

    `shares`: the values are shares, shown in percent from 0 to 100, so that figures of several rates can be compared.
    """
    words = percent if shares else number
    values, low, high = (np.asarray(array, dtype=float) for array in (values, low, high))
    sentences = [
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
    dots |= {"x": values, "y": list(range(len(values))), "hovertext": [escape_label(text, 90) for text in sentences]}
    axes = axis_from_top(names)
    axes["yaxis"] = axes["yaxis"] | {"autorange": False, "range": [len(names) - 0.5, -0.5]}
    if shares:
        axes["xaxis"] = {"range": [-0.03, 1.03], "tickformat": ".0%"}
    return Drawing(
        build_figure([dots], height=figure_height(len(names)) + 10, x=unit, axes=axes), "; ".join(sentences) + "."
    )


def jitter_offsets(values: Float, bins: int = 40) -> Float:
    """Return offsets from the line, (n,) in -0.4..0.4, so that dots of nearly equal value lie side by side."""
    width = float(np.ptp(values)) or 1.0
    bins_of_rows = np.minimum(((values - values.min()) / width * bins).astype(int), bins - 1)
    offsets = np.zeros(len(values))
    for bin_index in np.unique(bins_of_rows):
        members = np.flatnonzero(bins_of_rows == bin_index)
        offsets[members] = (np.arange(members.size) + 1) // 2 * np.where(np.arange(members.size) % 2, 1, -1)
    return 0.4 * offsets / max(float(np.abs(offsets).max()), 8.0)


def rank_shares(column: Float) -> Float:
    """Return ranks scaled to 0..1, NaN without a number: one far value must not paint the rest alike."""
    is_finite = np.isfinite(column)
    shares = np.full(len(column), np.nan)
    levels, ranks = np.unique(column[is_finite], return_inverse=True)
    shares[is_finite] = ranks / max(len(levels) - 1, 1)
    return shares


def draw_swarm(names: Sequence[str], values: Float, data: Float, unit: str = "", max_bars: int = MAX_BARS) -> Drawing:
    """Draw one line a feature and one dot a row: contributions (n, F), coloured by the values `data` (n, F)."""
    order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:max_bars]
    names_shown, traces = [str(names[place]) for place in order], []
    for line, place in enumerate(order):
        shares = rank_shares(np.asarray(data[:, place], dtype=float))
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
            "y": line + jitter_offsets(values[:, place]),
            "marker": marker,
        }
        traces.append(dots | no_hover())
    figure = build_figure(traces, height=figure_height(len(names_shown)) + 20, x=unit, axes=axis_from_top(names_shown))
    figure.update_xaxes(zeroline=True, zerolinecolor=with_opacity(QUIET, 0.8))
    figure.update_yaxes(autorange=False, range=[len(names_shown) - 0.4, -0.6])
    sizes = np.abs(values).mean(axis=0)[order]
    top = ", ".join(f"{name} ({number(size)})" for name, size in zip(names_shown[:3], sizes, strict=False))
    alt = f"Counts most over all rows: {top}."
    left = len(names) - len(names_shown)
    return Drawing(figure, alt, f"{left} features that count less are not shown." if left else "")
