"""Figures about shaken pictures: the probability of a class step by step, and which shake changes which class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xai_core.arrays import Float, Int
from xai_core.formatting import percent
from xai_core.render.tables.style import (
    AGAINST,
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

# Steps with a label below the axis; the rest are told by pointing at them.
_MAX_TICKS = 9


def draw_shake_curve(
    steps: Sequence[str], probabilities: Sequence[float], answers: Sequence[str], is_same: Sequence[bool], before: float
) -> Drawing:
    """Draw a probability at every step: a dot where the answer stays, a cross where it is another one."""
    places = list(range(len(steps)))
    texts = [
        f"{escape_label(step, 60)}: {percent(probability)}<br>answer: {escape_label(answer, 40)}"
        for step, probability, answer in zip(steps, probabilities, answers, strict=True)
    ]
    line: Trace = {"type": "scatter", "mode": "lines", "x": places, "y": list(probabilities)}
    line |= {"line": {"width": 3, "color": LINE}} | no_hover()
    ends = [0, len(steps) - 1]
    level: Trace = {"type": "scatter", "mode": "lines", "x": ends, "y": [before, before]}
    level |= {"line": {"dash": "dot", "color": QUIET}} | no_hover()
    traces = [level, line]
    # Two traces, so that the legend names both marks.
    for stays, name, symbol, colour in (
        (True, "the answer stays", "circle", LINE),
        (False, "another answer", "x", AGAINST),
    ):
        rows = [place for place in places if is_same[place] == stays]
        dots: Trace = {"type": "scatter", "mode": "markers", "name": name, "hoverinfo": "text"}
        dots |= {"x": rows, "y": [probabilities[row] for row in rows], "hovertext": [texts[row] for row in rows]}
        traces.append(dots | {"marker": {"size": 10, "symbol": symbol, "color": colour}})
    figure = build_figure(traces, height=300, y="probability", legend=True)
    gap = -(-len(steps) // _MAX_TICKS)
    shown = places[::gap]
    figure.update_xaxes(tickvals=shown, ticktext=[escape_label(steps[place], 16) for place in shown])
    figure.update_yaxes(tickformat=".0%", range=[-0.03, max(0.1, 1.1 * max(*probabilities, before))])
    low, high = int(np.argmin(probabilities)), int(np.argmax(probabilities))
    return Drawing(
        figure,
        f"Highest at “{steps[high]}” ({percent(probabilities[high])}), lowest at “{steps[low]}” "
        f"({percent(probabilities[low])}). Dotted: the picture as it is ({percent(before)}).",
    )


def draw_broken_classes(
    shakes: Sequence[str], classes: Sequence[str], counts: Int, broken: Float, dark: bool = False, max_classes: int = 5
) -> Drawing:
    """Draw the share of changed answers: shakes (S,) down, classes (K,) across, `broken` (K, S); first all pictures."""
    shown = min(len(classes), max_classes)
    total = counts @ broken / counts.sum()
    shares = np.vstack([total, broken[:shown]]).T
    columns = escape_labels(["all", *classes[:shown]], 12)
    rows = escape_labels(shakes, 26)
    heat: Trace = {"type": "heatmap", "x": columns, "y": rows, "z": shares, "zmin": 0, "zmax": 1}
    heat |= {"showscale": False, "hoverinfo": "skip", "xgap": 3, "ygap": 3, "texttemplate": "%{text}"}
    heat |= {"colorscale": [[0, with_opacity(LINE, 0.04)], [1, with_opacity(LINE, 0.75)]]}
    heat |= {"text": [[f"{100 * share:.0f}" for share in row] for row in shares.tolist()]}
    heat |= {"textfont": {"size": 12, "color": INK_ON_DARK if dark else INK}}
    axes = {"yaxis": {"autorange": "reversed", "showgrid": False}, "xaxis": {"side": "top", "showgrid": False}}
    figure = build_figure([heat], height=110 + 30 * len(rows), axes=axes)
    caption = f"{len(classes) - shown:,} more classes are in the table below." if len(classes) > shown else ""
    return Drawing(figure, "Answers that each shake changes, in percent of the pictures of a class.", caption)
