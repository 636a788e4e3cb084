"""Loss and share of right answers, epoch by epoch, of training pictures and of others: one picture of a training."""

from __future__ import annotations

from collections.abc import Sequence

from xai_core.formatting import number, percent
from xai_core.render.tables.style import FOR, LINE, Drawing, Trace, build_figure


def draw_training(
    losses: tuple[Sequence[float], Sequence[float]], shares: tuple[Sequence[float], Sequence[float]], epochs: int
) -> Drawing:
    """Draw the loss above and the share of right answers below, by epoch from 0, of `epochs` in all.

    Each pair is (training pictures, other pictures), of equal lengths.
    """
    traces: list[Trace] = []
    styles = (("training pictures", LINE, "solid"), ("other pictures", FOR, "dash"))
    for axis, pair, write in (("y", losses, number), ("y2", shares, percent)):
        for values, (name, colour, dash) in zip(pair, styles, strict=True):
            trace: Trace = {
                "type": "scatter",
                "mode": "lines+markers",
                "x": list(range(len(values))),
                "y": list(values),
            }
            trace |= {"yaxis": axis, "name": name, "showlegend": axis == "y", "hoverinfo": "text"}
            trace["hovertext"] = [f"epoch {place}, {name}: {write(value)}" for place, value in enumerate(values)]
            traces.append(trace | {"line": {"width": 3, "color": colour, "dash": dash}, "marker": {"size": 5}})
    lower = {"domain": [0, 0.42], "anchor": "x", "fixedrange": True, "automargin": True, "title": {"text": "right"}}
    axes = {
        "yaxis": {"domain": [0.54, 1], "rangemode": "tozero"},
        "yaxis2": lower | {"tickformat": ".0%", "range": [0, 1.04]},
        "xaxis": {"range": [-0.2, epochs + 0.3], "anchor": "y2"},
    }
    figure = build_figure(traces, height=420, x="epoch", y="loss", axes=axes, legend=True)
    (train, others), (right, others_right) = losses, shares
    return Drawing(
        figure,
        f"After epoch {len(train) - 1}: loss {number(train[-1])} on the training pictures and {number(others[-1])} on "
        f"others; right: {percent(right[-1])} and {percent(others_right[-1])}.",
    )
