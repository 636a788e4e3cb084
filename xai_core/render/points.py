"""Colours of the points of a map, with their legend.

Up to ten groups get colours that stay apart for colour-blind eyes and on light and dark pages; with more, the colour
comes from the group's name, so that a class looks the same as a label and as a prediction, and a shape helps where two
hues are near. Numbers run through the even palette without its darkest and its palest part.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from xai_core.arrays import Float, Int, UInt8
from xai_core.formatting import number, percent as format_percent
from xai_core.render.colour import PALETTES, srgb_from_oklab

# Shapes by index, as the browser draws them (assets/scatter_draw.js).
SHAPES = ("circle", "square", "triangle", "diamond", "cross")
# Result of a search over Oklab for colours at least 0.09 apart for every kind of eye, from NOTHING and both pages.
CATEGORIES = (
    "#3b6ee5",
    "#eac932",
    "#ae0440",
    "#aacef8",
    "#ff7716",
    "#c684ec",
    "#802fa9",
    "#156067",
    "#5fc68b",
    "#9c6d2c",
)
# Points of no group, or without a number.
NOTHING = "#8a9499"
RIGHT, WRONG = "#3b6ee5", "#ff7716"
_EVEN = PALETTES["even"].unsigned[64:232, :3]
_HUES, _SHADES = 12, ((0.60, 0.14), (0.76, 0.12))


@dataclass(frozen=True)
class Entry:
    """A line of a legend: a group, its colour (#rrggbb), its shape (an index of SHAPES) and its number of points."""

    name: str
    colour: str
    count: int
    shape: int = 0


@dataclass(frozen=True, eq=False)
class PointColors:
    """Colours (n, 3) and shapes (n,) of n points with their legend: groups, or a ramp from `low` to `high`."""

    title: str
    colours: UInt8
    shapes: UInt8
    legend: tuple[Entry, ...] = ()
    low: str = ""
    high: str = ""
    ramp: tuple[str, ...] = field(default=())


def to_hex(colour: Iterable[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def to_rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def looks_by_hash(names: Sequence[str]) -> list[tuple[str, int]]:
    """Return (colour, shape) for each name: the one at its hash, or the next free of 12 hues, 2 shades, 5 shapes."""
    looks = [
        (to_hex(round(255 * part) for part in oklch_to_srgb(hue, *shade)), shape)
        for shape in range(len(SHAPES))
        for shade in _SHADES
        for hue in range(_HUES)
    ]
    free = [True] * len(looks)
    look_of_name: dict[str, tuple[str, int]] = {}
    for name in sorted(set(names)):
        place = zlib.crc32(name.casefold().encode()) % len(looks)
        if any(free):
            place = next(at % len(looks) for at in range(place, place + len(looks)) if free[at % len(looks)])
        free[place] = False
        look_of_name[name] = looks[place]
    return [look_of_name[name] for name in names]


def oklch_to_srgb(hue: int, light: float, chroma: float) -> list[float]:
    turn = 2 * math.pi * hue / _HUES
    lab = np.array([[light, chroma * math.cos(turn), chroma * math.sin(turn)]])
    rgb: list[float] = srgb_from_oklab(lab)[0].tolist()
    return rgb


def color_by_group(groups: Int, names: Sequence[str], title: str, nothing: str = "No label") -> PointColors:
    """Color by group: `groups` (n,) holds indices of `names`, or -1 for none; the legend lists groups that occur."""
    present, counts = np.unique(groups[groups >= 0], return_counts=True)
    known = [names[at] for at in present]
    looks = (
        [(colour, 0) for colour in CATEGORIES[: len(known)]] if len(known) <= len(CATEGORIES) else looks_by_hash(known)
    )
    colours = np.full((len(names) + 1, 3), to_rgb(NOTHING), dtype=np.uint8)
    shapes = np.zeros(len(names) + 1, dtype=np.uint8)
    for at, (colour, shape) in zip(present, looks, strict=True):
        colours[at], shapes[at] = to_rgb(colour), shape
    entries = [
        Entry(name, colour, int(count), shape)
        for name, count, (colour, shape) in zip(known, counts, looks, strict=True)
    ]
    if len(entries) > len(CATEGORIES):
        entries.sort(key=lambda entry: -entry.count)
    if left := int((groups < 0).sum()):
        entries.append(Entry(nothing, NOTHING, left))
    place = np.where(groups >= 0, groups, len(names))
    return PointColors(title, colours[place], shapes[place], tuple(entries))


def color_by_correctness(predicted: Int, truth: Int, title: str = "Was the model right?") -> PointColors:
    """Color right, wrong, and unknown where `truth` is -1; wrong points have a shape of their own."""
    state = np.where(truth < 0, 2, predicted != truth)
    looks = (Entry("Right", RIGHT, 0), Entry("Wrong", WRONG, 0, 3), Entry("No label to check", NOTHING, 0))
    counts = [int((state == at).sum()) for at in range(len(looks))]
    legend = tuple(
        Entry(look.name, look.colour, count, look.shape) for look, count in zip(looks, counts, strict=True) if count
    )
    colours, shapes = (
        np.array([to_rgb(look.colour) for look in looks], dtype=np.uint8),
        np.array([look.shape for look in looks], dtype=np.uint8),
    )
    return PointColors(title, colours[state], shapes[state], legend)


def color_by_number(
    values: Float, title: str, low: float | None = None, high: float | None = None, *, percent: bool = False
) -> PointColors:
    """Color from dark (low) to bright (high); values beyond `low` and `high` (default: the range) are clipped.

    Points without a finite number are grey.
    """
    finite = np.isfinite(values)
    known = values[finite]
    bottom = float(known.min()) if low is None and known.size else float(low or 0.0)
    top = float(known.max()) if high is None and known.size else float(1.0 if high is None else high)
    share = np.clip((np.where(finite, values, bottom) - bottom) / (top - bottom if top > bottom else 1.0), 0.0, 1.0)
    colours = _EVEN[np.round(share * (len(_EVEN) - 1)).astype(np.intp)].copy()
    colours[~finite] = to_rgb(NOTHING)
    legend = (Entry("No number", NOTHING, int((~finite).sum())),) if not finite.all() else ()
    words = format_percent if percent else number
    ramp = tuple(to_hex(_EVEN[at]) for at in np.linspace(0, len(_EVEN) - 1, 9).round().astype(int))
    return PointColors(title, colours, np.zeros(len(values), dtype=np.uint8), legend, words(bottom), words(top), ramp)
