"""Scores of a model and the distribution of a column: counts, confusion, curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from xai_core.arrays import Float, Int
from xai_core.formatting import number, percent
from xai_core.render.tables.bars import draw_bars
from xai_core.render.tables.style import (
    INK,
    INK_ON_DARK,
    LINE,
    QUIET,
    Drawing,
    Trace,
    build_figure,
    escape_label,
    escape_labels,
    no_hover,
    with_opacity,
)


def draw_counts(names: Sequence[str], numbers: Int) -> Drawing:
    """Draw the number of rows of each kind (K,)."""
    return draw_bars(names, np.asarray(numbers, dtype=float), "rows")


def draw_histogram(
    name: str, edges: Float, numbers: Int, counted: str = "rows", show: Callable[[float], str] = number
) -> Drawing:
    """Draw the rows, or whatever is `counted`, between edges (B + 1,); `show` writes a value, such as a date.

    Edges half way between whole numbers are written as those.
    """
    middles = (edges[1:] + edges[:-1]) / 2
    places = [_between(a, b, show) for a, b in pairwise(edges.tolist())]
    texts = [f"{place}: {n:,} {counted}" for place, n in zip(places, numbers.tolist(), strict=True)]
    bars: Trace = {"type": "bar", "x": middles, "y": numbers, "width": np.diff(edges), "marker": {"color": LINE}}
    figure = build_figure([bars | {"hovertext": texts, "hoverinfo": "text"}], height=220, x=name, y=counted)
    if show is not number:
        ticks = np.linspace(np.ceil(edges[0]), np.floor(edges[-1]), 4).round()
        figure.update_xaxes(tickvals=ticks, ticktext=[escape_label(show(float(tick))) for tick in ticks])
    most = places[int(np.argmax(numbers))]
    return Drawing(figure, f"{name}: from {_between(float(edges[0]), float(edges[-1]), show)}, most often {most}.")


def _between(low: float, high: float, show: Callable[[float], str]) -> str:
    if low % 1 == high % 1 == 0.5:
        low, high = low + 0.5, high - 0.5
    return show(low) if low == high else f"{show(low)} to {show(high)}"


def draw_confusion(matrix: Int, classes: Sequence[str], dark: bool = False) -> Drawing:
    """Draw true classes down, predicted ones across (C, C); right answers lie on the diagonal. Shades are row shares.

    `dark`: the page shines through the cells, so the numbers have to know what it is.
    """
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    places = escape_labels(classes, 16)
    heat: Trace = {
        "type": "heatmap",
        "x": places,
        "y": places,
        "z": shares,
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "hoverinfo": "skip",
    }
    heat |= {"colorscale": [[0, with_opacity(LINE, 0.04)], [1, with_opacity(LINE, 0.75)]], "xgap": 3, "ygap": 3}
    heat |= {"text": [[f"{n:,}" for n in row] for row in matrix.tolist()], "texttemplate": "%{text}"}
    heat |= {"textfont": {"size": 15, "color": INK_ON_DARK if dark else INK}}
    axes = {"yaxis": {"autorange": "reversed", "showgrid": False}, "xaxis": {"side": "top", "showgrid": False}}
    figure = build_figure([heat], height=min(120 + 48 * len(places), 560), x="predicted", y="true", axes=axes)
    right, rows = int(np.trace(matrix)), int(matrix.sum())
    return Drawing(figure, f"{right:,} of {rows:,} rows lie on the diagonal: their class was predicted right.")


def _diagonal(low: float, high: float) -> Trace:
    line = {"dash": "dot", "color": QUIET}
    return {"type": "scatter", "mode": "lines", "x": [low, high], "y": [low, high], "line": line, **no_hover()}


def draw_roc(false_rate: Float, true_rate: Float, area: float) -> Drawing:
    """Draw the ROC curve: share of one class found (y) against share of false alarms (x), both (K,)."""
    curve: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": false_rate,
        "y": true_rate,
        "line": {"width": 3, "color": LINE},
    }
    curve |= {"hovertemplate": "found %{y:.0%} at %{x:.0%} false alarms<extra></extra>"}
    figure = build_figure([_diagonal(0, 1), curve], height=320, x="false alarms", y="found")
    figure.update_xaxes(range=[-0.02, 1.02], tickformat=".0%").update_yaxes(range=[-0.02, 1.02], tickformat=".0%")
    return Drawing(figure, f"The area under the curve is {number(area)}; 0.5 would be guessing, 1 is perfect.")


def draw_calibration(predicted: Float, true: Float, rows: Int | None = None) -> Drawing:
    """Draw predicted probability against observed share, both (K,); a calibrated model lies on the dotted line."""
    dots: Trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": predicted,
        "y": true,
        "line": {"width": 3, "color": LINE},
    }
    many = [f" ({n:,} rows)" for n in rows.tolist()] if rows is not None else [""] * len(predicted)
    texts = [
        f"said {percent(p)}, came true {percent(t)}{n}"
        for p, t, n in zip(predicted.tolist(), true.tolist(), many, strict=True)
    ]
    dots |= {"marker": {"size": 9}, "hovertext": texts, "hoverinfo": "text"}
    figure = build_figure([_diagonal(0, 1), dots], height=320, x="probability said", y="came true")
    figure.update_xaxes(range=[-0.02, 1.02], tickformat=".0%").update_yaxes(range=[-0.02, 1.02], tickformat=".0%")
    gap = float(np.abs(predicted - true).max()) if len(predicted) else 0.0
    return Drawing(figure, f"The largest distance from the dotted line is {percent(gap)}.")


def draw_fit(true: Float, predicted: Float, unit: str) -> Drawing:
    """Draw true value against prediction, a dot a row (N,); right answers lie on the dotted line."""
    dots: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": true,
        "y": predicted,
        "marker": {"size": 6, "color": with_opacity(LINE, 0.65)},
    }
    dots |= {"hovertemplate": "true %{x:,.4~r}, predicted %{y:,.4~r}<extra></extra>"}
    low, high = float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))
    figure = build_figure([_diagonal(low, high), dots], height=340, x=f"true {escape_label(unit, 40)}", y="predicted")
    return Drawing(figure, f"On average a prediction is {number(float(np.abs(true - predicted).mean()))} off.")
