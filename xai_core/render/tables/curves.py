"""Curves over steps of an optimization, layers of a network and shares of a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xai_core.formatting import number, percent
from xai_core.render.tables.style import (
    AGAINST,
    FOR,
    LINE,
    QUIET,
    Drawing,
    Trace,
    build_figure,
    escape_label,
    no_hover,
    signed_number,
    with_opacity,
)

# Shares, log-odds and probabilities of one curve.
Points = tuple[Sequence[float], Sequence[float], Sequence[float]]


def _line(places: Sequence[float], values: Sequence[float], texts: Sequence[str]) -> Trace:
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


def draw_hiding(most: Points, least: Points, label: str, gain: float) -> Drawing:
    """Draw the log-odds of a class by the share hidden: strongest pieces first, and weakest pieces first.

    Each curve is (share, log-odds, probability), by growing share. The area between them is filled: it is the gain.
    """
    names, traces = ("strongest first", "weakest first"), []
    for name, colour, (share, odds, probability) in zip(names, (FOR, AGAINST), (most, least), strict=True):
        texts = [
            f"{percent(part)} hidden, {name}: {percent(chance)}"
            for part, chance in zip(share, probability, strict=True)
        ]
        line = _line([], odds, texts) | {"x": [100 * part for part in share], "line": {"width": 3, "color": colour}}
        traces.append(line | {"name": name})
    traces[1] |= {"fill": "tonexty", "fillcolor": with_opacity(QUIET, 0.18)}
    figure = build_figure(
        traces, height=300, x="hidden, % of the picture", y=f"log-odds of {escape_label(label)}", legend=True
    )
    sign = "larger" if gain > 0 else "not larger"
    return Drawing(
        figure,
        f"The area between the curves, {number(gain)}, is the symmetric relevance gain: the log-odds are {sign} on "
        "average when the weakest pieces go first than when the strongest do.",
        "Log-odds of 0 are a probability of 50 %, 2 are 88 %, −2 are 12 %.",
    )


def draw_similarity(
    layers: Sequence[str], rows: Mapping[str, Sequence[float]], ceiling: float, floor: float, measure: str
) -> Drawing:
    """Draw the similarity of maps by shuffled weights, by layer, between its two anchors, dotted."""
    places, traces = range(1, len(layers) + 1), []
    for level in (ceiling, floor):
        dotted = {"dash": "dot", "color": QUIET}
        edge: Trace = {"type": "scatter", "mode": "lines", "x": [1, len(layers)], "y": [level, level], "line": dotted}
        traces.append(edge | no_hover())
    for (name, values), colour in zip(rows.items(), (LINE, FOR), strict=False):
        texts = [f"{escape_label(layer, 40)}: {number(value)}" for layer, value in zip(layers, values, strict=True)]
        traces.append(
            _line(places, values, texts)
            | {"mode": "lines+markers", "marker": {"size": 8}, "name": name, "line": {"width": 3, "color": colour}}
        )
    figure = build_figure(
        traces, height=300, x="shuffled, from the last layer to the first", y="similarity", legend=True
    )
    figure.update_xaxes(showticklabels=False)
    return Drawing(
        figure,
        f"{measure}: {number(ceiling)} is the same map (upper line), {number(floor)} is the map of another picture "
        "(lower line).",
    )


def draw_layer_strength(layers: Sequence[str], values: Sequence[float], firm: Sequence[bool]) -> Drawing:
    """Draw an idea's effect on the score by layer; hollow where chance reaches as far."""
    texts = [f"{escape_label(layer, 40)}: {signed_number(value)}" for layer, value in zip(layers, values, strict=True)]
    symbols = ["circle" if sure else "circle-open" for sure in firm]
    markers = {"mode": "lines+markers", "marker": {"size": 9, "symbol": symbols}}
    dots = _line(range(1, len(layers) + 1), values, texts) | markers
    figure = build_figure([dots], height=240, x="layer, from early to late", y="logits per step")
    figure.update_xaxes(showticklabels=False)
    figure.update_yaxes(zeroline=True, zerolinecolor=QUIET)
    return Drawing(
        figure,
        f"More than chance in {sum(firm)} of {len(layers)} layers (filled dots). Hollow dots: random pictures reach as "
        "far.",
    )


def draw_threshold(
    shares: Sequence[float], when_hidden: Sequence[float], when_alone: Sequence[float], now: float, label: str
) -> Drawing:
    """Draw the probability of a class by the share of the picture that is hidden, and by that kept alone (dashed).

    A dotted line stands at the share that is painted `now`.
    """
    places = [100 * share for share in shares]
    dashed: Trace = {"dash": "dash", "color": QUIET}
    plain: Trace = {}
    named = ((when_hidden, "hidden", plain), (when_alone, "kept alone", dashed))
    traces: list[Trace] = []
    for values, words, style in named:
        texts = [
            f"strongest {percent(share)} {words}: {percent(value)}" for share, value in zip(shares, values, strict=True)
        ]
        line = _line(places, [100 * value for value in values], texts)
        traces.append(line | {"line": line["line"] | style, "name": words})
    mark: Trace = {"type": "scatter", "mode": "lines", "x": [100 * now] * 2, "y": [0, 100]}
    traces.append(mark | {"line": {"dash": "dot", "color": QUIET, "width": 2}} | no_hover())
    figure = build_figure(
        traces, height=240, x="strongest part of the map, % of the picture", y=f"{escape_label(label, 24)}, %"
    )
    figure.update_yaxes(range=[0, 101])
    return Drawing(
        figure,
        f"Solid: the probability of {label} with the strongest part hidden, down to {percent(min(when_hidden))}. "
        "Dashed: with that part kept alone. The earlier the solid line falls and the dashed one rises, the better the "
        "map has found what the model needs.",
    )
