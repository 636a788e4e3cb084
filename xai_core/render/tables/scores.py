"""How good a model is, and how a column is spread: counts, confusion, curves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from xai_core.render.tables.bars import draw_bars
from xai_core.render.tables.style import (
    INK,
    INK_ON_DARK,
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
    seen,
)


def draw_counts(names: Sequence[str], numbers: npt.NDArray[np.integer]) -> Drawing:
    """How many rows of each kind (K,)."""
    return draw_bars(names, np.asarray(numbers, dtype=float), "rows")


def draw_histogram(name: str, edges: Floats, numbers: npt.NDArray[np.integer]) -> Drawing:
    """How many rows lie between the edges (B + 1,). Edges half way between whole numbers are told as the whole numbers within."""
    middles = (edges[1:] + edges[:-1]) / 2
    places = [_between(a, b) for a, b in pairwise(edges.tolist())]
    texts = [f"{place}: {n:,} rows" for place, n in zip(places, numbers.tolist(), strict=True)]
    bars: Trace = {"type": "bar", "x": middles, "y": numbers, "width": np.diff(edges), "marker": {"color": LINE}}
    figure = frame([bars | {"hovertext": texts, "hoverinfo": "text"}], height=220, x=name, y="rows")
    most = places[int(np.argmax(numbers))]
    return Drawing(figure, f"{name}: from {_between(float(edges[0]), float(edges[-1]))}, most often {most}.")


def _between(low: float, high: float) -> str:
    if low % 1 == high % 1 == 0.5:
        low, high = low + 0.5, high - 0.5
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def draw_confusion(matrix: npt.NDArray[np.integer], classes: Sequence[str], dark: bool = False) -> Drawing:
    """True classes down, predicted ones across (C, C); right answers lie on the diagonal. Shades are shares of a row.

    `dark`: the page shines through the cells, so the numbers have to know what it is.
    """
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    places = labels(classes, 16)
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
    heat |= {"colorscale": [[0, seen(LINE, 0.04)], [1, seen(LINE, 0.75)]], "xgap": 3, "ygap": 3}
    heat |= {"text": [[f"{n:,}" for n in row] for row in matrix.tolist()], "texttemplate": "%{text}"}
    heat |= {"textfont": {"size": 15, "color": INK_ON_DARK if dark else INK}}
    axes = {"yaxis": {"autorange": "reversed", "showgrid": False}, "xaxis": {"side": "top", "showgrid": False}}
    figure = frame([heat], height=min(120 + 48 * len(places), 560), x="predicted", y="true", axes=axes)
    right, rows = int(np.trace(matrix)), int(matrix.sum())
    return Drawing(figure, f"{right:,} of {rows:,} rows lie on the diagonal: their class was predicted right.")


def _diagonal(low: float, high: float) -> Trace:
    line = {"dash": "dot", "color": QUIET}
    return {"type": "scatter", "mode": "lines", "x": [low, high], "y": [low, high], "line": line, **hidden_hover()}


def draw_roc(false_rate: Floats, true_rate: Floats, area: float) -> Drawing:
    """The ROC curve: what share of one class is found (y) at the price of what share of false alarms (x), both (K,)."""
    curve: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": false_rate,
        "y": true_rate,
        "line": {"width": 3, "color": LINE},
    }
    curve |= {"hovertemplate": "found %{y:.0%} at %{x:.0%} false alarms<extra></extra>"}
    figure = frame([_diagonal(0, 1), curve], height=320, x="false alarms", y="found")
    figure.update_xaxes(range=[-0.02, 1.02], tickformat=".0%").update_yaxes(range=[-0.02, 1.02], tickformat=".0%")
    return Drawing(figure, f"The area under the curve is {number(area)}; 0.5 would be guessing, 1 is perfect.")


def draw_calibration(predicted: Floats, true: Floats, rows: npt.NDArray[np.integer] | None = None) -> Drawing:
    """Said probability against how often it came true, both (K,); a model that means what it says lies on the dotted line."""
    dots: Trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": predicted,
        "y": true,
        "line": {"width": 3, "color": LINE},
    }
    many = [f" ({n:,} rows)" for n in rows.tolist()] if rows is not None else [""] * len(predicted)
    texts = [
        f"said {p:.0%}, came true {t:.0%}{n}" for p, t, n in zip(predicted.tolist(), true.tolist(), many, strict=True)
    ]
    dots |= {"marker": {"size": 9}, "hovertext": texts, "hoverinfo": "text"}
    figure = frame([_diagonal(0, 1), dots], height=320, x="probability said", y="came true")
    figure.update_xaxes(range=[-0.02, 1.02], tickformat=".0%").update_yaxes(range=[-0.02, 1.02], tickformat=".0%")
    gap = float(np.abs(predicted - true).max()) if len(predicted) else 0.0
    return Drawing(figure, f"The largest distance from the dotted line is {gap:.0%}.")


def draw_fit(true: Floats, predicted: Floats, unit: str) -> Drawing:
    """True value against prediction, a dot a row (N,); right answers lie on the dotted line."""
    dots: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": true,
        "y": predicted,
        "marker": {"size": 6, "color": seen(LINE, 0.65)},
    }
    dots |= {"hovertemplate": "true %{x:.4g}, predicted %{y:.4g}<extra></extra>"}
    low, high = float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))
    figure = frame([_diagonal(low, high), dots], height=340, x=f"true {label(unit, 40)}", y="predicted")
    return Drawing(figure, f"On average a prediction is {number(float(np.abs(true - predicted).mean()))} off.")
