"""Curves over the steps of an optimization and over the layers of a network."""

from __future__ import annotations

from collections.abc import Sequence

from xai_core.formatting import number
from xai_core.render.tables.style import LINE, QUIET, Drawing, Trace, build_figure, escape_label, no_hover


def _line(places: Sequence[int], values: Sequence[float], texts: Sequence[str]) -> Trace:
    line = {"width": 3, "color": LINE}
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(places),
        "y": list(values),
        "line": line,
        "hovertext": list(texts),
        "hoverinfo": "text",
    }


def draw_steps_curve(values: Sequence[float], steps: int, name: str) -> Drawing:
    """Draw a value after each step so far, of `steps` in all."""
    texts = [f"step {step}: {number(value)}" for step, value in enumerate(values, 1)]
    figure = build_figure([_line(range(1, len(values) + 1), values, texts)], height=180, x="step", y=name)
    figure.update_xaxes(range=[0, steps + 1])
    return Drawing(figure, f"From {number(values[0])} to {number(values[-1])} in {len(values)} steps.")


def draw_likeness(layers: Sequence[str], likeness: Sequence[float], limit: float) -> Drawing:
    """Draw the likeness to photographs by layer: 1 like those a unit likes, 0 like others, dotted at the limit."""
    texts = [f"{escape_label(layer, 40)}: {number(value)}" for layer, value in zip(layers, likeness, strict=True)]
    places = range(1, len(layers) + 1)
    dots = _line(places, likeness, texts) | {"mode": "lines+markers", "marker": {"size": 8}}
    dotted = {"dash": "dot", "color": QUIET}
    border: Trace = {"type": "scatter", "mode": "lines", "x": [1, len(layers)], "y": [limit, limit], "line": dotted}
    figure = build_figure([border | no_hover(), dots], height=220, x="layer, from early to late", y="likeness")
    figure.update_xaxes(showticklabels=False)
    return Drawing(
        figure,
        "1: the network treats the picture like the photographs this unit likes. 0: like any other photograph. "
        f"In the last layer: {number(likeness[-1])}.",
    )
