"""Figures about tables: they show the numbers they were given, in the project's colours, and read foreign names as text
only.
"""

from __future__ import annotations

import functools
import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from xai_core.render import tables
from xai_core.render.tables import Box, Colouring, Curve, Drawing
from xai_core.render.tables.style import (
    AGAINST,
    EVEN,
    FOR,
    LINE,
    QUIET,
    ROW,
    SECOND,
    escape_label,
    escape_labels,
    number,
    signed_number,
)

LIGHT, DARK = "#ffffff", "#0f171c"
HOSTILE = '<a href="https://b.example">x</a> %{x} <b>'
GRID = np.linspace(0.0, 2.0, 5)
LINES = np.arange(20.0).reshape(4, 5)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", [LIGHT, DARK])
@pytest.mark.parametrize("colour", [FOR, AGAINST, LINE, QUIET, ROW, SECOND])
def test_every_line_can_be_seen_on_both_grounds(colour: str, ground: str) -> None:
    assert contrast(colour, ground) >= 3.0


def test_even_colours_go_from_dark_to_bright() -> None:
    steps = [luminance(colour) for _, colour in EVEN]
    assert steps == sorted(steps) and steps[-1] > 5 * steps[0]


@functools.cache
def drawings(name: str) -> dict[str, Drawing]:
    """One of each kind, all about a feature of this name."""
    names, values = [name, "b", "c"], np.array([0.5, -0.25, 0.1])
    curve = Curve(GRID, LINES.mean(axis=0), LINES, np.linspace(0, 2, 4), np.array([1, 2, 1]), GRID > 1.6)
    named = Curve([name, "b"], np.array([0.1, 0.2]), LINES[:, :2], counts=np.array([3, 4]))
    boxes = [Box(0.5, 0, name, name, -1), Box(0.0, 1, "yes", "yes", 0, 0.2), Box(1.0, 1, "no", "no", 0, 0.9, True)]
    return {
        "signed_bars": tables.draw_signed_bars(names, values, name),
        "waterfall": tables.draw_waterfall(names, values, 0.3, name),
        "error_bars": tables.draw_error_bars(names, values, np.abs(values) / 5, name),
        "plain_bars": tables.draw_bars(names, values, name),
        "intervals": tables.draw_intervals(names, values, values - 0.1, values + 0.2, name),
        "swarm": tables.draw_swarm(names, LINES[:, :3] - 8, LINES[:, :3], name),
        "effect": tables.draw_effect(
            curve, name, name, colouring=Colouring(name, [name, "b", "b", name]), beside=(name, GRID), here=(1.0, 0.4)
        ),
        "named": tables.draw_effect(named, name, name, own=np.array([0.3, 0.4]), here=(name, 0.3)),
        "effect_2d": tables.draw_effect_2d(GRID, [name, "b"], LINES[:2].T, LINES[:2].T > 6, (name, "b"), name),
        "counts": tables.draw_counts(names, np.array([3, 2, 1])),
        "histogram": tables.draw_histogram(name, np.array([0.0, 1.0, 2.0]), np.array([3, 5])),
        "confusion": tables.draw_confusion(np.array([[5, 1], [2, 7]]), [name, "b"]),
        "roc": tables.draw_roc(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.9, 1.0]), 0.8),
        "calibration": tables.draw_calibration(np.array([0.1, 0.9]), np.array([0.2, 0.8]), np.array([5, 6])),
        "fit": tables.draw_fit(GRID, GRID + 0.5, name),
        "tree": tables.draw_tree(boxes),
        "steps": tables.draw_steps(
            name, GRID, values.repeat(2)[:4], values.repeat(2)[:4] - 1, values.repeat(2)[:4] + 1, name
        ),
        "named_steps": tables.draw_category_steps(name, names, values, values - 1, values + 1, name),
        "squares": tables.draw_pair_heatmap(
            (name, "b"), [name, "b"], ["c", "d"], np.array([[1.0, -2.0], [0.5, 0.0]]), name
        ),
    }


KINDS = (
    "signed_bars waterfall error_bars plain_bars intervals swarm effect named effect_2d counts histogram "
    "confusion roc calibration fit tree steps named_steps squares"
).split()


def traces(drawing: Drawing) -> list[dict[str, Any]]:
    return list(json.loads(drawing.figure.to_json())["data"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_says_in_words_what_it_shows(kind: str) -> None:
    drawing = drawings("age")[kind]
    assert drawing.alt.endswith(".") and "nan" not in drawing.alt.lower()
    assert drawing.figure.layout.dragmode is False, "a finger on it scrolls the page"
    assert drawing.figure.layout.height <= 800


@pytest.mark.parametrize("kind", KINDS)
def test_foreign_names_are_text_in_every_figure(kind: str) -> None:
    written = drawings(HOSTILE)[kind].figure.to_json()
    assert "<a" not in written and "\\u003ca" not in written and "<b>" not in written
    assert "%{x} " not in written.replace("%{x}, %{y}", "").replace("%{x}:", "")


def test_words_for_numbers() -> None:
    assert [number(v) for v in (0.01234, 12.34, 1234.5, 0.0, float("nan"))] == ["0.0123", "12.3", "1,234", "0", "–"]
    assert [signed_number(v) for v in (0.5, -0.5, 0.0)] == ["+0.5", "−0.5", "0"]


def test_long_and_equal_labels_stay_apart() -> None:
    assert escape_label("x" * 50) == "x" * 23 + "…"
    assert len(set(escape_labels(["y" * 50, "y" * 51, "y" * 52]))) == 3


def test_bars_are_the_strongest_in_order_and_the_rest_together() -> None:
    values = np.array([0.1, -3.0, 0.2, 2.0, -0.05])
    (bars,) = tables.draw_signed_bars(list("abcde"), values, max_bars=2).figure.data
    assert list(bars.x) == pytest.approx([-3.0, 2.0, 0.25])
    assert list(bars.marker.color) == [AGAINST, FOR, FOR]


def test_the_steps_of_a_waterfall_add_up() -> None:
    values = np.random.default_rng(0).normal(size=30)
    (bars,) = tables.draw_waterfall([f"f{k}" for k in range(30)], values, 5.0).figure.data
    assert bars.base[-1] + bars.x[-1] == pytest.approx(5.0 + values.sum())
    ends = np.array(bars.base) + np.array(bars.x)
    assert list(bars.base[2:-1]) == pytest.approx(list(ends[1:-2])), "each begins where the one before ended"
    assert ends[-2] == pytest.approx(ends[-1])


def test_at_most_300_lines_are_drawn_and_that_is_said() -> None:
    many = np.random.default_rng(0).normal(size=(1000, 5))
    drawing = tables.draw_effect(Curve(GRID, many.mean(axis=0), many), "a", "b")
    assert np.isnan(drawing.figure.data[0].y).sum() == tables.MAX_LINES == 300
    assert "300 of 1,000 rows" in drawing.caption
    assert list(drawing.figure.data[1].y) == pytest.approx(many.mean(axis=0).tolist()), "the average is that of all"


def test_colours_split_the_lines_without_losing_any() -> None:
    values = [1.0, 2.0, 3.0, float("nan")]
    drawing = tables.draw_effect(Curve(GRID, LINES.mean(axis=0), LINES), "a", "b", colouring=Colouring("c", values))
    assert sum(np.isnan(trace.y).sum() for trace in drawing.figure.data[:-1]) == 3, "one row has no value to colour by"
    words = Colouring("c", ["x", "y", "x", "y"])
    drawing = tables.draw_effect(Curve(GRID, LINES.mean(axis=0), LINES), "a", "b", colouring=words)
    assert [trace.name for trace in drawing.figure.data[:2]] == ["c: x", "c: y"]


def test_places_without_data_have_a_grey_band() -> None:
    curve = Curve(GRID, GRID, empty=np.array([False, False, True, True, False]))
    (first, second) = tables.draw_effect(curve, "a", "b").figure.layout.shapes
    assert [(item.x0, item.x1) for item in (first, second)] == [(0.75, 1.25), (1.25, 1.75)]


def test_a_swarm_never_moves_a_dot_off_its_line() -> None:
    values = np.random.default_rng(0).normal(size=(500, 3))
    for line, dots in enumerate(tables.draw_swarm(list("abc"), values, values).figure.data):
        assert np.abs(np.array(dots.y) - line).max() <= 0.41
    assert tables.draw_swarm(["a"], np.zeros((4, 1)), np.full((4, 1), np.nan)).alt


def test_a_group_without_rows_has_no_dot_and_says_so() -> None:
    nan = float("nan")
    drawing = tables.draw_intervals(["a", "b"], np.array([0.5, nan]), np.array([0.4, nan]), np.array([0.7, nan]))
    assert "a: 0.5 (0.4 to 0.7)" in drawing.alt and "b: no rows to tell" in drawing.alt


def test_a_confusion_counts_its_diagonal() -> None:
    drawn = tables.draw_confusion(np.array([[5, 1], [2, 1234]]), ["a", "b"])
    assert drawn.alt.startswith("1,239 of 1,242 rows")
    assert [list(row) for row in drawn.figure.data[0].text] == [["5", "1"], ["2", "1,234"]]


@pytest.mark.parametrize(("dark", "page"), [(False, LIGHT), (True, DARK)])
def test_the_counts_of_a_confusion_can_be_read_on_every_cell(dark: bool, page: str) -> None:
    (cells,) = tables.draw_confusion(np.array([[5, 1], [2, 7]]), ["a", "b"], dark).figure.data
    under = [int(page[at : at + 2], 16) for at in (1, 3, 5)]
    for _, colour in cells.colorscale:
        *fill, share = (float(part) for part in colour.removeprefix("rgba(").removesuffix(")").split(","))
        shown = "#" + "".join(
            f"{round(share * over + (1 - share) * below):02x}" for over, below in zip(fill, under, strict=True)
        )
        assert contrast(cells.textfont.color, shown) > 4.5, "WCAG 2.2, 1.4.3"


def test_lines_of_a_tree_begin_below_what_a_node_asks() -> None:
    """But at the node itself where there is no room for words."""
    boxes = [
        Box(0.5, 0, "age ≤ 40?", "", -1),
        *(Box(x / 4, 1, "debt?", "", 0) for x in range(5)),
        Box(0.0, 2, "yes", "", 1),
    ]
    lines, nodes = tables.draw_tree(boxes).figure.data
    assert nodes.text[0] and not any(nodes.text[1:6]), "five in a level are too many"
    begin, end = lines.y[::3], lines.y[1::3]
    assert all(0.25 < y < 0.5 for y in begin[:5]) and begin[5] == 1 and list(end) == [1] * 5 + [2]


def test_every_kind_is_tried() -> None:
    assert list(drawings("age")) == KINDS


def test_an_effect_of_two_features_has_no_colour_where_it_is_nothing() -> None:
    values = np.array([[0.0, -0.2], [0.1, 0.05]])
    trace = tables.draw_effect_2d(["a", "b"], ["c", "d"], values, None, ("one", "two"), "change", signed=True).figure[
        "data"
    ][0]
    assert (trace["zmin"], trace["zmax"]) == (-0.2, 0.2), "one scale for both signs"
    low, middle, high = (trace["colorscale"][place][1] for place in (0, 10, 20))
    assert middle.endswith(" 0.00)")
    red, _, blue = (int(part) for part in high.removeprefix("rgba(").split(",")[:3])
    assert red > 2 * blue, "orange for more"
    red, _, blue = (int(part) for part in low.removeprefix("rgba(").split(",")[:3])
    assert blue > 2 * red, "blue for less"


def test_bars_between_whole_numbers_are_told_as_those_within() -> None:
    drawing = tables.draw_histogram("age", np.array([17.5, 20.5, 23.5, 24.5]), np.array([3, 9, 2]))
    assert drawing.alt == "age: from 18 to 24, most often 21 to 23."
    assert list(drawing.figure.data[0].hovertext) == ["18 to 20: 3 rows", "21 to 23: 9 rows", "24: 2 rows"]
    assert (
        tables.draw_histogram("x", np.array([0.0, 0.5, 1.0]), np.array([1, 2])).alt
        == "x: from 0 to 1, most often 0.5 to 1."
    )


def test_a_histogram_of_dates_is_told_and_marked_in_dates() -> None:
    days = np.array([19_722.5, 19_907.5, 20_088.5])
    drawing = tables.draw_histogram(
        "joined", days, np.array([3, 9]), show=lambda day: str(np.datetime64(int(day), "D"))
    )
    assert drawing.alt == "joined: from 2024-01-01 to 2024-12-31, most often 2024-07-04 to 2024-12-31."
    ticks = drawing.figure.layout.xaxis
    assert list(ticks.tickvals) == [19_723, 19_845, 19_966, 20_088] and ticks.ticktext[0] == "2024-01-01"


def test_categories_are_dots_and_never_lines() -> None:
    curve = Curve(["north", "south", "west"], np.array([1.0, 2.0, 3.0]), np.ones((4, 3)))
    traces = tables.draw_effect(curve, "district", "price", beside=("with", np.ones(3)), own=np.ones(3)).figure.data
    assert len(traces) == 4
    assert {trace.mode for trace in traces} == {"markers"}
    line = tables.draw_effect(Curve(np.arange(5.0), np.ones(5)), "age", "price").figure.data[0]
    assert line.mode == "lines"


def test_dates_are_dates_in_hover_legend_ticks_and_words() -> None:
    days, texts = np.array([19000.0, 19100.0, 19200.0]), ["2022-01-08", "2022-04-18", "2022-07-27"]
    curve = Curve(days, np.array([1.0, 5.0, 2.0]), np.ones((3, 3)), texts=texts)
    colours = Colouring("bought", list(days), lambda day: (date(1970, 1, 1) + timedelta(day)).isoformat())
    drawing = tables.draw_effect(curve, "sold", "price", colouring=colours)
    average = next(trace for trace in drawing.figure.data if trace.hovertext is not None)
    assert average.hovertext == ("2022-01-08: 1", "2022-04-18: 5", "2022-07-27: 2")
    assert list(drawing.figure.layout.xaxis.ticktext) == texts
    assert "highest at 2022-04-18" in drawing.alt
    names = " ".join(trace.name for trace in drawing.figure.data)
    assert "bought: 2022-01-08 to" in names and "19," not in names


def test_words_are_not_escaped_and_the_figure_is() -> None:
    curve = Curve(["R&D", "a<b"], np.array([1.0, 2.0]))
    drawing = tables.draw_effect(curve, "team", "price")
    assert "highest at a<b" in drawing.alt and "lowest at R&D" in drawing.alt
    assert drawing.figure.data[0].hovertext[0].startswith("R&amp;D")
