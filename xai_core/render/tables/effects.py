"""Effects of one or two features on the prediction: curves with the distribution of the data under them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xai_core.arrays import Bool, Float, Int64
from xai_core.formatting import number, percent, printable
from xai_core.render.tables.style import (
    EVEN,
    LINE,
    QUIET,
    ROW,
    SECOND,
    SIGNED,
    Drawing,
    Trace,
    build_figure,
    escape_label,
    escape_labels,
    no_hover,
    share_color,
    signed_number,
    signed_points,
    with_opacity,
)

# More single lines than this only make a grey cloud.
MAX_LINES = 300
_LEVELS = 4
Grid = Float | Sequence[str]


@dataclass(frozen=True, eq=False)
class Curve:
    """One feature's effect as plain arrays: grid (G,) of numbers or names, average (G,), lines of rows (N, G) or None.

    `edges` (B + 1,) and `counts` (B,) are the feature's distribution, for names `counts` (G,) alone. `empty` (G,) marks
    places without data near.
    """

    grid: Grid
    average: Float
    individual: Float | None = None
    edges: Float | None = None
    counts: Int64 | None = None
    empty: Bool | None = None
    texts: Sequence[str] | None = None
    """(G,) the places in words, where the axis would not say them well: dates, years."""
    shares: bool = False
    """True where the values are probabilities, shown in percent."""
    differences: bool = False
    """True where the values are differences of others, shown with their sign."""

    def show(self, value: float) -> str:
        """Return a value of the curve in words."""
        if self.differences:
            return signed_points(value) if self.shares else signed_number(value)
        return percent(value) if self.shares else number(value)

    @property
    def is_categorical(self) -> bool:
        return any(isinstance(place, str) for place in self.grid)

    @property
    def places(self) -> list[Any]:
        return escape_labels(self.grid) if self.is_categorical else np.asarray(self.grid, dtype=float).tolist()

    @property
    def words(self) -> list[str]:
        """The grid in words."""
        if self.texts:
            return list(self.texts)
        return [printable(place) if self.is_categorical else number(float(place)) for place in self.grid]


@dataclass(frozen=True, eq=False)
class Colouring:
    """A property that colours single lines: its name and its values (N,), numbers or words."""

    title: str
    values: Sequence[Any]
    show: Callable[[float], str] = number
    """Words for a number, such as a date."""


def sample_lines(rows: int, limit: int = MAX_LINES) -> Int64:
    """Return the rows whose lines are drawn: all, or `limit` of them at random, always the same."""
    return np.arange(rows) if rows <= limit else np.sort(np.random.default_rng(0).choice(rows, limit, replace=False))


def join_lines(places: Sequence[Any], lines: Float) -> tuple[Sequence[Any] | Float, Float]:
    """Return x and y of many lines as one trace with gaps between them: hundreds of traces would be slow."""
    after = [*places, places[-1]]
    xs = after * len(lines) if isinstance(places[0], str) else np.tile(after, len(lines))
    return xs, np.hstack([lines, np.full((len(lines), 1), np.nan)]).ravel()


def color_groups(colouring: Colouring | None, rows: Int64) -> list[tuple[str, str, Int64]]:
    """Return (words, colour, rows) for each colour, from low to high."""
    if colouring is None:
        return [("Single rows", with_opacity(QUIET, 0.22), rows)]
    values = [colouring.values[row] for row in rows]
    if any(isinstance(value, str) for value in values):
        names = sorted({str(value) for value in values})[:_LEVELS]
        texts = np.array([str(value) for value in values])
        return [
            (name, share_color(place / max(len(names) - 1, 1)), rows[texts == name]) for place, name in enumerate(names)
        ]
    numbers = np.array(values, dtype=float)
    edges = (
        np.unique(np.nanquantile(numbers, np.linspace(0, 1, _LEVELS + 1)))
        if np.isfinite(numbers).any()
        else np.array([0.0])
    )
    place = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, max(len(edges) - 2, 0))
    groups = []
    for level in np.unique(place[np.isfinite(numbers)]):
        words = f"{colouring.show(edges[level])} to {colouring.show(edges[min(level + 1, len(edges) - 1)])}"
        groups.append(
            (words, share_color(level / max(len(edges) - 2, 1)), rows[(place == level) & np.isfinite(numbers)])
        )
    return groups


def line_traces(curve: Curve, individual: Float, colouring: Colouring | None) -> list[Trace]:
    traces = []
    for words, colour, rows in color_groups(colouring, sample_lines(len(individual))):
        xs, ys = join_lines(curve.places, individual[rows])
        name = f"{escape_label(colouring.title)}: {escape_label(words)}" if colouring else escape_label(words)
        opacity = 0.7 if colouring else 1.0
        line = {"width": 1, "color": colour}
        traces.append(
            {
                "type": "scatter",
                "mode": "markers" if curve.is_categorical else "lines",
                "x": xs,
                "y": ys,
                "line": line,
                "marker": {"size": 4, "color": colour},
                "opacity": opacity,
                "name": name,
                "hoverinfo": "skip",
            }
        )
    return traces


def average_trace(curve: Curve, values: Float, name: str, colour: str, dash: str = "solid") -> Trace:
    texts = [
        f"{escape_label(place)}: {curve.show(value)}" for place, value in zip(curve.words, values.tolist(), strict=True)
    ]
    # Between two categories there is nothing that a line could show.
    mode = "markers" if curve.is_categorical else "lines+markers" if len(values) < 3 else "lines"
    line = {"width": 4, "color": colour, "dash": dash}
    trace: Trace = {
        "type": "scatter",
        "mode": mode,
        "x": curve.places,
        "y": values,
        "name": name,
        "line": line,
        "marker": {"size": 9, "color": colour},
    }
    return trace | {"hovertext": texts, "hoverinfo": "text"}


def distribution_traces(curve: Curve) -> list[Trace]:
    if curve.counts is None:
        return []
    bars: Trace = {
        "type": "bar",
        "y": curve.counts,
        "yaxis": "y2",
        "marker": {"color": with_opacity(QUIET, 0.7)},
        **no_hover(),
    }
    if curve.edges is None:
        return [bars | {"x": curve.places}]
    return [bars | {"x": (curve.edges[1:] + curve.edges[:-1]) / 2, "width": np.diff(curve.edges)}]


def axis_ticks(curve: Curve) -> dict[str, Any]:
    """Return five ticks in words for an axis that has texts, else nothing."""
    if curve.texts is None:
        return {}
    at = np.linspace(0, len(curve.places) - 1, min(5, len(curve.places))).round().astype(int)
    return {
        "tickvals": [curve.places[place] for place in at],
        "ticktext": [escape_label(curve.words[place]) for place in at],
    }


def empty_bands(curve: Curve) -> list[dict[str, Any]]:
    """Return grey bands over places where no row of the table lies."""
    if curve.empty is None or curve.is_categorical or not curve.empty.any():
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
        "fillcolor": with_opacity(QUIET, 0.22),
        "layer": "below",
    }
    return [rest | {"x0": middles[at], "x1": middles[at + 1]} for at in np.flatnonzero(curve.empty)]


def row_marker(place: Any, value: float, words: str) -> Trace:
    marker = {"size": 15, "color": ROW, "symbol": "diamond", "line": {"width": 2, "color": "white"}}
    rest = {"name": "This row", "hovertext": [f"This row: {words}"], "hoverinfo": "text"}
    return {"type": "scatter", "mode": "markers", "x": [place], "y": [value], "marker": marker, **rest}


def describe_curve(curve: Curve, values: Float, feature: str, outcome: str) -> str:
    known = np.flatnonzero(np.isfinite(values))
    if not known.size:
        return "There is no number to draw."
    places = curve.words
    low, high = known[np.argmin(values[known])], known[np.argmax(values[known])]
    lowest, highest = (
        f"lowest at {places[low]} ({curve.show(values[low])})",
        f"highest at {places[high]} ({curve.show(values[high])})",
    )
    return f"Over {feature}, {outcome} is {lowest}, {highest}."


def draw_effect(
    curve: Curve,
    feature: str,
    outcome: str,
    *,
    colouring: Colouring | None = None,
    beside: tuple[str, Float] | None = None,
    own: Float | None = None,
    name: str = "Average of all rows",
    here: tuple[Any, float] | None = None,
) -> Drawing:
    """Draw the average curve over single rows' lines, with the feature's distribution under the axis.

    `beside`: words and values (G,) of a second curve. `own` (G,): the line of the row in question; `here`: its point.
    `name` is the title of the average curve.
    """
    traces = [*line_traces(curve, curve.individual, colouring)] if curve.individual is not None else []
    traces.append(average_trace(curve, curve.average, name, LINE))
    if beside is not None:
        traces.append(average_trace(curve, beside[1], escape_label(beside[0], 40), SECOND, "dash"))
    if own is not None:
        traces.append(average_trace(curve, own, "This row with other values", ROW, "dot"))
    if here is not None:
        place = escape_label(here[0]) if curve.is_categorical else here[0]
        traces.append(row_marker(place, here[1], curve.show(here[1])))
    below = distribution_traces(curve)
    axes: dict[str, Any] = {
        "shapes": empty_bands(curve),
        "xaxis": ({"type": "category"} if curve.is_categorical else {}) | axis_ticks(curve),
        "yaxis": {"tickformat": ".0%"} if curve.shares else {},
    }
    if below:
        axes["yaxis"] |= {"domain": [0.2, 1]}
        axes |= {"yaxis2": {"domain": [0, 0.14], "showticklabels": False, "showgrid": False, "fixedrange": True}}
        axes["xaxis"]["anchor"] = "y2"
    # On a phone each line of the legend takes its own.
    height = 400 + 14 * len([trace for trace in traces if trace.get("name")])
    figure = build_figure([*traces, *below], height=height, x=feature, y=outcome, axes=axes, legend=True)
    return Drawing(figure, describe_curve(curve, curve.average, feature, outcome), caption_of(curve))


def caption_of(curve: Curve) -> str:
    sentences = []
    if curve.individual is not None:
        rows = len(curve.individual)
        many = f"{MAX_LINES} of {rows:,} rows are drawn; the thick line is the average of all."
        sentences.append(many if rows > MAX_LINES else "")
    if curve.counts is not None:
        sentences.append("The bars below show how many rows lie where.")
    if curve.empty is not None and curve.empty.any() and not curve.is_categorical:
        sentences.append("Grey bands: no row of the table lies there, so the model is guessing.")
    return " ".join(filter(None, sentences))


def symmetric_scale(values: Float) -> Trace:
    """Return one colour scale for both signs."""
    largest = float(np.nanmax(np.abs(values))) or 1.0
    return {"colorscale": SIGNED, "zmin": -largest, "zmax": largest}


def draw_effect_2d(
    first: Grid,
    second: Grid,
    values: Float,
    unreal: Bool | None,
    names: tuple[str, str],
    outcome: str,
    *,
    signed: bool = False,
    shares: bool = False,
) -> Drawing:
    """Draw the prediction (A, B) over two features, with crosses where no row of the table lies.

    `signed`: an effect, of which 0 has no colour. `shares`: the values are probabilities, shown in percent.
    """
    show = Curve(first, values, shares=shares, differences=signed).show
    xs, ys = (Curve(grid, np.zeros(len(grid))).places for grid in (first, second))
    bar = {"title": {"text": escape_label(outcome, 40), "side": "right"}, "thickness": 12}
    bar |= {"tickformat": ".0%"} if shares else {}
    traces: list[Trace] = [{"type": "heatmap", "x": xs, "y": ys, "z": values.T, "colorbar": bar, "hoverongaps": False}]
    traces[0] |= symmetric_scale(values) if signed else {"colorscale": EVEN}
    traces[0]["hovertemplate"] = f"%{{x}}, %{{y}}: %{{z:{'.1%' if shares else ',.3~r'}}}<extra></extra>"
    if unreal is not None and unreal.any():
        rows, columns = np.nonzero(unreal)
        marker = {"symbol": "x-thin", "size": 6, "line": {"width": 1.2, "color": "white"}}
        crosses = {"x": [xs[place] for place in rows], "y": [ys[place] for place in columns], "marker": marker}
        traces.append({"type": "scatter", "mode": "markers", **crosses, **no_hover()})
    figure = build_figure(traces, height=420, x=names[0], y=names[1])
    high, low = (
        np.unravel_index(np.nanargmax(values), values.shape),
        np.unravel_index(np.nanargmin(values), values.shape),
    )
    at = [
        f"{xs[a] if isinstance(xs[a], str) else number(xs[a])} and {ys[b] if isinstance(ys[b], str) else number(ys[b])}"
        for a, b in (high, low)
    ]
    ends = [f"{at} ({show(values[place])})" for at, place in zip(at, (high, low), strict=True)]
    alt = f"Over {names[0]} and {names[1]}, {outcome} is highest at {ends[0]}, lowest at {ends[1]}."
    return Drawing(figure, alt, "Crosses: no row of the table has such a pair of values." if len(traces) > 1 else "")
