"""What colour a point of a map has, and the legend that says why.

Up to ten groups get colours chosen to stay apart for colour-blind eyes and on light and dark pages; with more of them colours
come from the group's name, so that a class looks the same as a label and as a prediction, and a shape helps where two hues are near.
Numbers run through the even palette without its darkest and its palest part.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from xai_core.render.colour import PALETTES, srgb_from_oklab

Bytes = npt.NDArray[np.uint8]
Whole = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]

SHAPES = ("circle", "square", "triangle", "diamond", "cross")
"""By number, as the browser draws them (assets/scatter_draw.js)."""
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
"""Found by a search over Oklab for colours that stay at least 0.09 apart for every kind of eye, and apart from NOTHING and both pages."""
NOTHING = "#8a9499"
"""Points of no group, or without a number."""
RIGHT, WRONG = "#3b6ee5", "#ff7716"
_EVEN = PALETTES["even"].unsigned[64:232, :3]
_HUES, _SHADES = 12, ((0.60, 0.14), (0.76, 0.12))


@dataclass(frozen=True)
class Entry:
    """One line of a legend: a group, its colour (#rrggbb), its shape (a place in SHAPES) and how many points it has."""

    name: str
    colour: str
    count: int
    shape: int = 0


@dataclass(frozen=True, eq=False)
class Coloured:
    """Colours (n, 3) and shapes (n,) of n points, and their legend: groups, or for numbers a ramp from `low` to `high`."""

    title: str
    colours: Bytes
    shapes: Bytes
    legend: tuple[Entry, ...] = ()
    low: str = ""
    high: str = ""
    ramp: tuple[str, ...] = field(default=())


def _hex(colour: Iterable[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _hashed(names: Sequence[str]) -> list[tuple[str, int]]:
    """A look for each name: the one its hash points at, or the next that is free. Twelve hues, two shades and five shapes."""
    looks = [
        (_hex(round(255 * part) for part in _mixed(hue, *shade)), shape)
        for shape in range(len(SHAPES))
        for shade in _SHADES
        for hue in range(_HUES)
    ]
    free = [True] * len(looks)
    found: dict[str, tuple[str, int]] = {}
    for name in sorted(set(names)):
        place = zlib.crc32(name.casefold().encode()) % len(looks)
        if any(free):
            place = next(at % len(looks) for at in range(place, place + len(looks)) if free[at % len(looks)])
        free[place] = False
        found[name] = looks[place]
    return [found[name] for name in names]


def _mixed(hue: int, light: float, chroma: float) -> list[float]:
    turn = 2 * math.pi * hue / _HUES
    mixed: list[float] = srgb_from_oklab(np.array([[light, chroma * math.cos(turn), chroma * math.sin(turn)]]))[
        0
    ].tolist()
    return mixed


def by_group(groups: Whole, names: Sequence[str], title: str, nothing: str = "No label") -> Coloured:
    """Colours by group: `groups` (n,) is a place in `names`, or -1 for none. The legend names the groups that occur, largest first."""
    present, counts = np.unique(groups[groups >= 0], return_counts=True)
    known = [names[at] for at in present]
    looks = [(colour, 0) for colour in CATEGORIES[: len(known)]] if len(known) <= len(CATEGORIES) else _hashed(known)
    colours = np.full((len(names) + 1, 3), _rgb(NOTHING), dtype=np.uint8)
    shapes = np.zeros(len(names) + 1, dtype=np.uint8)
    for at, (colour, shape) in zip(present, looks, strict=True):
        colours[at], shapes[at] = _rgb(colour), shape
    entries = [
        Entry(name, colour, int(count), shape)
        for name, count, (colour, shape) in zip(known, counts, looks, strict=True)
    ]
    if len(entries) > len(CATEGORIES):
        entries.sort(key=lambda entry: -entry.count)
    if left := int((groups < 0).sum()):
        entries.append(Entry(nothing, NOTHING, left))
    place = np.where(groups >= 0, groups, len(names))
    return Coloured(title, colours[place], shapes[place], tuple(entries))


def by_correctness(predicted: Whole, truth: Whole, title: str = "Was the model right?") -> Coloured:
    """Right, wrong, or not known where `truth` is -1: in colour and, for wrong ones, in shape."""
    state = np.where(truth < 0, 2, predicted != truth)
    looks = (Entry("Right", RIGHT, 0), Entry("Wrong", WRONG, 0, 3), Entry("No label to check", NOTHING, 0))
    counts = [int((state == at).sum()) for at in range(len(looks))]
    legend = tuple(
        Entry(look.name, look.colour, count, look.shape) for look, count in zip(looks, counts, strict=True) if count
    )
    colours, shapes = (
        np.array([_rgb(look.colour) for look in looks], dtype=np.uint8),
        np.array([look.shape for look in looks], dtype=np.uint8),
    )
    return Coloured(title, colours[state], shapes[state], legend)


def by_number(
    values: Floats, title: str, low: float | None = None, high: float | None = None, *, percent: bool = False
) -> Coloured:
    """Colours from dark (low) to bright (high); values beyond `low` and `high` (default: the least and the greatest) are cut.

    Points without a finite number are grey.
    """
    finite = np.isfinite(values)
    known = values[finite]
    bottom = float(known.min()) if low is None and known.size else float(low or 0.0)
    top = float(known.max()) if high is None and known.size else float(1.0 if high is None else high)
    share = np.clip((np.where(finite, values, bottom) - bottom) / (top - bottom if top > bottom else 1.0), 0.0, 1.0)
    colours = _EVEN[np.round(share * (len(_EVEN) - 1)).astype(np.intp)].copy()
    colours[~finite] = _rgb(NOTHING)
    legend = (Entry("No number", NOTHING, int((~finite).sum())),) if not finite.all() else ()
    ramp = tuple(_hex(_EVEN[at]) for at in np.linspace(0, len(_EVEN) - 1, 9).round().astype(int))
    return Coloured(
        title, colours, np.zeros(len(values), dtype=np.uint8), legend, _said(bottom, percent), _said(top, percent), ramp
    )


def _said(value: float, percent: bool) -> str:
    return f"{100 * value:.0f} %" if percent else f"{value:.3g}".replace("-", "−")
