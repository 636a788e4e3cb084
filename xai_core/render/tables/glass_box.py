"""Models that can be shown as they are: a tree to walk down, a curve for each feature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from xai_core.arrays import Float
from xai_core.formatting import number
from xai_core.render.tables.style import (
    AGAINST,
    EVEN,
    FOR,
    INK,
    INK_ON_DARK,
    LINE,
    QUIET,
    ROW,
    Drawing,
    Trace,
    build_figure,
    escape_label,
    escape_labels,
    no_hover,
    with_opacity,
)

# Nodes of a level up to which there is room for words below them.
MAX_WORDS = 4
# Pixels between two levels of a tree.
_LEVEL = 92
# Start of the lines to the next level, in levels, so that they do not cross the question of the node.
_BELOW_WORDS = 30 / _LEVEL


@dataclass(frozen=True)
class Box:
    """A node of a tree: its position (x, depth), its text, its parent's index (-1 at the root)."""

    x: float
    depth: int
    text: str
    sentence: str
    parent: int
    share: float = float("nan")
    """Colour, 0 to 1."""
    on_path: bool = False


def draw_tree(boxes: Sequence[Box], dark: bool = False) -> Drawing:
    """Draw a tree from the top down; rows that meet the condition go left. `dark`: the page is dark."""
    depth = max(box.depth for box in boxes)
    crowded = {level for level in range(depth + 1) if sum(box.depth == level for box in boxes) > MAX_WORDS}
    edges: Trace = {"type": "scatter", "mode": "lines", "line": {"color": QUIET, "width": 1.5}, **no_hover()}
    edges |= {"x": [], "y": []}
    for box in boxes:
        if box.parent >= 0:
            above = boxes[box.parent]
            edges["x"] += [above.x, box.x, None]
            edges["y"] += [above.depth + (0 if above.depth in crowded else _BELOW_WORDS), box.depth, None]
    shares = [0.5 if np.isnan(box.share) else box.share for box in boxes]
    marker = {"size": 22, "symbol": "square", "color": shares, "colorscale": EVEN, "cmin": 0, "cmax": 1}
    marker |= {"line": {"width": [4 if box.on_path else 0 for box in boxes], "color": ROW}}
    dots: Trace = {"type": "scatter", "mode": "markers+text", "x": [box.x for box in boxes], "marker": marker}
    dots |= {
        "y": [box.depth for box in boxes],
        "text": ["" if box.depth in crowded else escape_label(box.text, 28) for box in boxes],
        "textposition": "bottom center",
        "textfont": {"size": 11, "color": INK_ON_DARK if dark else INK},
    }
    dots |= {
        "hovertext": [escape_label(box.sentence, 160) for box in boxes],
        "hoverinfo": "text",
        "cliponaxis": False,
        "showlegend": False,
    }
    hidden = {"visible": False}
    axes = {"xaxis": hidden, "yaxis": hidden | {"range": [depth + 0.7, -0.4]}}
    figure = build_figure([edges, dots], height=110 + _LEVEL * (depth + 1), axes=axes)
    leaves = len(boxes) - len({box.parent for box in boxes if box.parent >= 0})
    return Drawing(
        figure, f"A tree of {depth} questions at most and {leaves} answers. It asks first: {boxes[0].text.rstrip('?')}."
    )


def draw_steps(
    feature: str, edges: Float, values: Float, low: Float, high: Float, unit: str, show: Callable[[float], str] = number
) -> Drawing:
    """Draw a feature's term: values (B,) with their interval, constant between the edges (B + 1,).

    `show`: words for a place on the axis, such as a date.
    """
    at = np.repeat(edges, 2)[1:-1]
    line, top, bottom = (np.repeat(array, 2) for array in (values, high, low))
    band: Trace = {
        "type": "scatter",
        "x": np.concatenate([at, at[::-1]]),
        "y": np.concatenate([top, bottom[::-1]]),
        "fill": "toself",
    }
    band |= {"fillcolor": with_opacity(LINE, 0.2), "line": {"width": 0}, **no_hover()}
    curve: Trace = {"type": "scatter", "mode": "lines", "x": at, "y": line, "line": {"width": 3, "color": LINE}}
    texts = [f"{escape_label(show(float(x)))}: {number(float(y))}" for x, y in zip(at, line, strict=True)]
    curve |= {"hovertext": texts, "hoverinfo": "text", "showlegend": False}
    figure = build_figure([band, curve], height=300, x=feature, y=unit)
    if show is not number:
        ticks = np.linspace(edges[0], edges[-1], 4)
        figure.update_xaxes(tickvals=ticks, ticktext=[escape_label(show(float(tick))) for tick in ticks])
    figure.update_yaxes(zeroline=True, zerolinecolor=QUIET)
    best, worst = int(np.argmax(values)), int(np.argmin(values))
    most = f"adds most, {number(values[best])}, from {show(edges[best])} to {show(edges[best + 1])}"
    return Drawing(
        figure,
        f"{feature} {most}, and least, {number(values[worst])}, from {show(edges[worst])} to {show(edges[worst + 1])}.",
    )


def draw_category_steps(
    feature: str, names: Sequence[str], values: Float, low: Float, high: Float, unit: str
) -> Drawing:
    """Draw the term of a categorical feature (K,)."""
    error = {"type": "data", "symmetric": False, "array": high - values, "arrayminus": values - low, "color": QUIET}
    bars: Trace = {
        "type": "bar",
        "x": escape_labels(names, 16),
        "y": values,
        "marker": {"color": LINE},
        "error_y": error,
    }
    bars |= {"hovertemplate": "%{x}: %{y:,.3~r}<extra></extra>"}
    figure = build_figure([bars], height=300, x=feature, y=unit, axes={"xaxis": {"type": "category"}})
    figure.update_yaxes(zeroline=True, zerolinecolor=QUIET)
    return Drawing(
        figure,
        f"{feature} adds most for {names[int(np.argmax(values))]} and least for {names[int(np.argmin(values))]}.",
    )


def draw_pair_heatmap(
    names: tuple[str, str], first: Sequence[object], second: Sequence[object], values: Float, unit: str
) -> Drawing:
    """Draw what two features add together (A, B), beyond what each adds alone."""
    largest = float(np.abs(values).max()) or 1.0
    scale = [[0, AGAINST], [0.5, with_opacity(QUIET, 0.1)], [1, FOR]]
    bar = {"title": {"text": escape_label(unit, 30), "side": "right"}, "thickness": 12}
    heat: Trace = {
        "type": "heatmap",
        "x": escape_labels(first, 12),
        "y": escape_labels(second, 12),
        "z": values.T,
        "zmin": -largest,
        "zmax": largest,
    }
    heat |= {"colorscale": scale, "colorbar": bar, "hovertemplate": "%{x}, %{y}: %{z:,.3~r}<extra></extra>"}
    axes = {"xaxis": {"type": "category"}, "yaxis": {"type": "category"}}
    figure = build_figure([heat], height=380, x=names[0], y=names[1], axes=axes)
    return Drawing(figure, f"{names[0]} and {names[1]} together add up to {number(largest)}.")
