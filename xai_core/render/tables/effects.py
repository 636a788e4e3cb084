"""What happens to the prediction as one feature, or two, take other values: curves with the data under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.render.tables.style import (
    EVEN,
    LINE,
    QUIET,
    ROW,
    SECOND,
    SIGNED,
    Drawing,
    Floats,
    Trace,
    even,
    frame,
    hidden_hover,
    label,
    labels,
    number,
    seen,
)

MAX_LINES = 300
"""More single lines than this only make a grey cloud."""
_LEVELS = 4
Grid = Floats | Sequence[str]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Curve:
    """One feature's effect as plain arrays: places (G,) or their names, average (G,), a line for each row (N, G) or None.

    `edges` (B + 1,) and `counts` (B,) are the feature's own distribution, for names `counts` (G,) alone. `empty` (G,): no data near.
    """

    grid: Grid
    average: Floats
    individual: Floats | None = None
    edges: Floats | None = None
    counts: npt.NDArray[np.integer] | None = None
    empty: Mask | None = None
    texts: Sequence[str] | None = None
    """(G,) the places in words, where the axis would not say them well: dates."""

    @property
    def named(self) -> bool:
        return any(isinstance(each, str) for each in self.grid)

    @property
    def places(self) -> list[Any]:
        return labels(self.grid) if self.named else np.asarray(self.grid, dtype=float).tolist()

    @property
    def words(self) -> list[str]:
        """The places as they are said."""
        return (
            [label(each) for each in self.texts]
            if self.texts
            else [each if self.named else number(each) for each in self.places]
        )


@dataclass(frozen=True, eq=False)
class Colouring:
    """What single lines are coloured by: its name and its value for each of them, numbers or words (N,)."""

    title: str
    values: Sequence[Any]


def sample_lines(rows: int, most: int = MAX_LINES) -> npt.NDArray[np.integer]:
    """Which lines are drawn: all, or as many at random, always the same."""
    return np.arange(rows) if rows <= most else np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def _together(places: Sequence[Any], lines: Floats) -> tuple[Sequence[Any] | Floats, Floats]:
    """Many lines as one trace, with gaps between them: hundreds of traces would be slow, and so would lists of their numbers."""
    after = [*places, places[-1]]
    xs = after * len(lines) if isinstance(places[0], str) else np.tile(after, len(lines))
    return xs, np.hstack([lines, np.full((len(lines), 1), np.nan)]).ravel()


def _groups(
    colouring: Colouring | None, rows: npt.NDArray[np.integer]
) -> list[tuple[str, str, npt.NDArray[np.integer]]]:
    """(words, colour, lines) for each colour, from low to high."""
    if colouring is None:
        return [("One row each", seen(QUIET, 0.22), rows)]
    values = [colouring.values[row] for row in rows]
    if any(isinstance(value, str) for value in values):
        names = sorted({str(value) for value in values})[:_LEVELS]
        texts = np.array([str(value) for value in values])
        return [(name, even(place / max(len(names) - 1, 1)), rows[texts == name]) for place, name in enumerate(names)]
    numbers = np.array(values, dtype=float)
    edges = (
        np.unique(np.nanquantile(numbers, np.linspace(0, 1, _LEVELS + 1)))
        if np.isfinite(numbers).any()
        else np.array([0.0])
    )
    place = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, max(len(edges) - 2, 0))
    found = []
    for level in np.unique(place[np.isfinite(numbers)]):
        words = f"{number(edges[level])} to {number(edges[min(level + 1, len(edges) - 1)])}"
        found.append((words, even(level / max(len(edges) - 2, 1)), rows[(place == level) & np.isfinite(numbers)]))
    return found


def _lines(curve: Curve, individual: Floats, colouring: Colouring | None) -> list[Trace]:
    traces = []
    for words, colour, rows in _groups(colouring, sample_lines(len(individual))):
        xs, ys = _together(curve.places, individual[rows])
        name = f"{label(colouring.title)}: {label(words)}" if colouring else label(words)
        opacity = 0.7 if colouring else 1.0
        line = {"width": 1, "color": colour}
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": xs,
                "y": ys,
                "line": line,
                "opacity": opacity,
                "name": name,
                "hoverinfo": "skip",
            }
        )
    return traces


def _average(curve: Curve, values: Floats, name: str, colour: str, dash: str = "solid") -> Trace:
    texts = [
        f"{place if curve.named else number(place)}: {number(value)}"
        for place, value in zip(curve.places, values.tolist(), strict=True)
    ]
    mode = "lines+markers" if curve.named or len(values) < 3 else "lines"
    line = {"width": 4, "color": colour, "dash": dash}
    trace: Trace = {
        "type": "scatter",
        "mode": mode,
        "x": curve.places,
        "y": values,
        "name": name,
        "line": line,
        "marker": {"size": 9},
    }
    return trace | {"hovertext": texts, "hoverinfo": "text"}


def _distribution(curve: Curve) -> list[Trace]:
    if curve.counts is None:
        return []
    bars: Trace = {
        "type": "bar",
        "y": curve.counts,
        "yaxis": "y2",
        "marker": {"color": seen(QUIET, 0.7)},
        **hidden_hover(),
    }
    if curve.edges is None:
        return [bars | {"x": curve.places}]
    return [bars | {"x": (curve.edges[1:] + curve.edges[:-1]) / 2, "width": np.diff(curve.edges)}]


def _ticks(curve: Curve) -> dict[str, Any]:
    """Where the axis has words of its own, five of them."""
    if curve.texts is None:
        return {}
    at = np.linspace(0, len(curve.places) - 1, min(5, len(curve.places))).round().astype(int)
    return {"tickvals": [curve.places[place] for place in at], "ticktext": [curve.words[place] for place in at]}


def _empty_spans(curve: Curve) -> list[dict[str, Any]]:
    """Grey bands over places where no row of the table lies."""
    if curve.empty is None or curve.named or not curve.empty.any():
        return []
    grid = np.asarray(curve.grid, dtype=float)
    middles = np.concatenate([grid[:1], (grid[1:] + grid[:-1]) / 2, grid[-1:]])
    rest = {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"width": 0},
        "fillcolor": seen(QUIET, 0.22),
        "layer": "below",
    }
    return [rest | {"x0": middles[at], "x1": middles[at + 1]} for at in np.flatnonzero(curve.empty)]


def _marker(place: Any, value: float) -> Trace:
    marker = {"size": 15, "color": ROW, "symbol": "diamond", "line": {"width": 2, "color": "white"}}
    rest = {"name": "This row", "hovertext": [f"This row: {number(value)}"], "hoverinfo": "text"}
    return {"type": "scatter", "mode": "markers", "x": [place], "y": [value], "marker": marker, **rest}


def _summary(curve: Curve, values: Floats, feature: str, outcome: str) -> str:
    known = np.flatnonzero(np.isfinite(values))
    if not known.size:
        return "There is no number to draw."
    places = curve.words
    low, high = known[np.argmin(values[known])], known[np.argmax(values[known])]
    lowest, highest = (
        f"lowest at {places[low]} ({number(values[low])})",
        f"highest at {places[high]} ({number(values[high])})",
    )
    return f"Over {feature}, {outcome} is {lowest}, {highest}."


def draw_effect(
    curve: Curve,
    feature: str,
    outcome: str,
    *,
    colouring: Colouring | None = None,
    beside: tuple[str, Floats] | None = None,
    own: Floats | None = None,
    name: str = "Average of all rows",
    here: tuple[Any, float] | None = None,
) -> Drawing:
    """The average curve over single rows' lines, with the feature's distribution under the axis.

    `beside`: words and values (G,) of a second curve. `own` (G,): the line of the row in question, `here` where it stands now.
    `name` is what the average curve is called.
    """
    traces = [*_lines(curve, curve.individual, colouring)] if curve.individual is not None else []
    traces.append(_average(curve, curve.average, name, LINE))
    if beside is not None:
        traces.append(_average(curve, beside[1], label(beside[0], 40), SECOND, "dash"))
    if own is not None:
        traces.append(_average(curve, own, "This row with other values", ROW, "dot"))
    if here is not None:
        traces.append(_marker(label(here[0]) if curve.named else here[0], here[1]))
    below = _distribution(curve)
    axes: dict[str, Any] = {
        "shapes": _empty_spans(curve),
        "xaxis": ({"type": "category"} if curve.named else {}) | _ticks(curve),
    }
    if below:
        axes |= {
            "yaxis": {"domain": [0.2, 1]},
            "yaxis2": {"domain": [0, 0.14], "showticklabels": False, "showgrid": False, "fixedrange": True},
        }
        axes["xaxis"]["anchor"] = "y2"
    # On a phone each line of the legend takes its own.
    height = 400 + 14 * len([trace for trace in traces if trace.get("name")])
    figure = frame([*traces, *below], height=height, x=feature, y=outcome, axes=axes, legend=True)
    return Drawing(figure, _summary(curve, curve.average, feature, outcome), _caption(curve))


def _caption(curve: Curve) -> str:
    said = []
    if curve.individual is not None:
        rows = len(curve.individual)
        many = f"{MAX_LINES} of {rows:,} rows are drawn; the thick line is the average of all."
        said.append(many if rows > MAX_LINES else "")
    if curve.counts is not None:
        said.append("The bars below show how many rows lie where.")
    if curve.empty is not None and curve.empty.any() and not curve.named:
        said.append("Grey bands: no row of the table lies there, so the model is guessing.")
    return " ".join(filter(None, said))


def _about_zero(values: Floats) -> Trace:
    """One scale for both signs."""
    largest = float(np.nanmax(np.abs(values))) or 1.0
    return {"colorscale": SIGNED, "zmin": -largest, "zmax": largest}


def draw_effect_2d(
    first: Grid,
    second: Grid,
    values: Floats,
    unreal: Mask | None,
    names: tuple[str, str],
    outcome: str,
    *,
    signed: bool = False,
) -> Drawing:
    """What a model says (A, B) over two features at once, crosses where no row of the table lies. `signed`: an effect, 0 has no colour."""
    xs, ys = (Curve(grid, np.zeros(len(grid))).places for grid in (first, second))
    bar = {"title": {"text": label(outcome, 40), "side": "right"}, "thickness": 12}
    traces: list[Trace] = [{"type": "heatmap", "x": xs, "y": ys, "z": values.T, "colorbar": bar, "hoverongaps": False}]
    traces[0] |= _about_zero(values) if signed else {"colorscale": EVEN}
    traces[0]["hovertemplate"] = "%{x}, %{y}: %{z:.3g}<extra></extra>"
    if unreal is not None and unreal.any():
        one, other = np.nonzero(unreal)
        marker = {"symbol": "x-thin", "size": 6, "line": {"width": 1.2, "color": "white"}}
        crosses = {"x": [xs[place] for place in one], "y": [ys[place] for place in other], "marker": marker}
        traces.append({"type": "scatter", "mode": "markers", **crosses, **hidden_hover()})
    figure = frame(traces, height=420, x=names[0], y=names[1])
    high, low = (
        np.unravel_index(np.nanargmax(values), values.shape),
        np.unravel_index(np.nanargmin(values), values.shape),
    )
    at = [
        f"{xs[a] if isinstance(xs[a], str) else number(xs[a])} and {ys[b] if isinstance(ys[b], str) else number(ys[b])}"
        for a, b in (high, low)
    ]
    ends = [f"{at} ({number(values[place])})" for at, place in zip(at, (high, low), strict=True)]
    alt = f"Over {names[0]} and {names[1]}, {outcome} is highest at {ends[0]}, lowest at {ends[1]}."
    return Drawing(figure, alt, "Crosses: no row of the table has such a pair of values." if len(traces) > 1 else "")
