"""Rivals of a map: shifted copies of itself, a blob in the middle, and the edges of the picture.

A shifted copy has the same shapes in other places. A map that beats few of them says little about places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from xai_core.arrays import Float32, Float64, Int64
from xai_core.trust.hiding.curves import Curve, HidingRequest, area_under, to_probability
from xai_core.trust.hiding.pieces import GRID, STEPS, average_pieces, count_hidden, order_pieces

MAX_SHIFTS = 100
# Amounts of hiding for a copy, of the 33 for the map: about a tenth, a third and two thirds.
AMOUNTS = (3, 11, 22)
# Share of the picture that the sentence about a map speaks of.
TOP = 0.1


@dataclass(frozen=True, eq=False)
class Comparison:
    """Gains by few amounts of hiding and one filling, in log-odds, so that they compare with each other only."""

    gain: float
    """Of the map itself."""
    shifted: Float64
    """Of its shifted copies, (n,)."""
    center: float
    """Of a blob in the middle of the picture."""
    edges: float
    """Of the edges in the picture (Sobel)."""
    start: float
    """Probability of the class with nothing hidden."""
    top: float
    """Probability with the map's strongest tenth hidden."""
    needed: float
    """Share that has to be hidden, by the median shifted copy, to bring the class as far down; 1 where none does."""
    filling: str

    @property
    def beats(self) -> float:
        """Share of the shifted copies with a smaller gain."""
        return float((self.shifted < self.gain).mean())

    @property
    def wins(self) -> int:
        """Number of the shifted copies with a smaller gain."""
        return int((self.shifted < self.gain).sum())


def count_comparison(shifts: int) -> int:
    """Return the forward passes that the comparison takes."""
    return 2 * len(AMOUNTS) * (min(shifts, MAX_SHIFTS) + 2)


def draw_shifts(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return distinct shifts (down, right) in pixels, by whole places of the grid; never none at all."""
    rows, columns = (min(GRID, length) for length in shape[:2])
    places = 1 + rng.permutation(rows * columns - 1)[:count]
    return [
        (round(row * shape[0] / rows), round(column * shape[1] / columns))
        for row, column in (divmod(int(place), columns) for place in places)
    ]


def make_blob(shape: tuple[int, ...]) -> Float64:
    """Return a map (H, W) that is strongest in the middle."""
    down, right = ((np.arange(length) - (length - 1) / 2) / length for length in shape[:2])
    blob: Float64 = -(down[:, None] ** 2 + right**2)
    return blob


def find_edges(pixels: Float32) -> Float64:
    """Return the strength of edges in a picture (H, W, C), as a map (H, W)."""
    grey = pixels.mean(2, dtype=np.float64)
    edges: Float64 = np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1))
    return edges


def compare_with_shifts(
    request: HidingRequest,
    heat: Float64,
    ties: Int64,
    deletion: Curve,
    insertion: Curve,
    filling: str,
    shifts: int,
    rng: np.random.Generator,
) -> Comparison:
    """Compare a map (H, W) with shifted copies of it, a blob and edges, by the answers to few amounts of hiding."""
    maps = [np.roll(heat, shift, (0, 1)) for shift in draw_shifts(heat.shape, min(shifts, MAX_SHIFTS), rng)]
    maps += [make_blob(heat.shape), find_edges(request.pixels)]
    values = [average_pieces(entry, request.labels) for entry in maps]
    ends = deletion.log_odds[filling][[0, -1]]
    curves = _ask_coarse(request, values, ties, filling, ends)
    places = [0, *AMOUNTS, STEPS]
    own_deletion = deletion.log_odds[filling]
    own_insertion = insertion.log_odds[filling][::-1]
    own = area_under((1 - insertion.share[::-1])[places], own_insertion[places]) - area_under(
        deletion.share[places], own_deletion[places]
    )
    gains = np.array([area_under(*least) - area_under(*most) for most, least in curves])
    probability = to_probability(own_deletion)
    top = float(np.interp(TOP, deletion.share, probability))
    needed = [_find_share(share, to_probability(odds), top) for (share, odds), _ in curves[: len(maps) - 2]]
    return Comparison(
        own,
        gains[:-2],
        float(gains[-2]),
        float(gains[-1]),
        float(probability[0]),
        top,
        float(np.median(needed)) if needed else 1.0,
        filling,
    )


CoarseCurve = tuple[Float64, Float64]


def _ask_coarse(
    request: HidingRequest, values: list[Float64], ties: Int64, filling: str, ends: Float64
) -> list[tuple[CoarseCurve, CoarseCurve]]:
    """Return two curves (share hidden, log-odds) for each map: its strongest, or its weakest pieces hidden first."""
    orders = [order_pieces(sign * value, ties) for value in values for sign in (1, -1)]
    counted = [count_hidden(order, request.labels) for order in orders]
    sets = [order[: counts[place]] for order, (counts, _) in zip(orders, counted, strict=True) for place in AMOUNTS]
    inner = request.ask(sets, request.make_hider(filling)).reshape(len(orders), len(AMOUNTS))
    places = [0, *AMOUNTS, STEPS]
    curves = [
        (area[places], np.concatenate([ends[:1], row, ends[1:]])) for row, (_, area) in zip(inner, counted, strict=True)
    ]
    return list(zip(curves[::2], curves[1::2], strict=True))


def _find_share(share: Float64, probability: Float64, level: float) -> float:
    """Return the first share at which a curve has come down to a level; 1 where it never does."""
    below = np.flatnonzero(probability <= level)
    if not below.size:
        return 1.0
    end = int(below[0])
    if end == 0:
        return 0.0
    high, low = probability[end - 1], probability[end]
    return float(share[end - 1] + (share[end] - share[end - 1]) * (high - level) / (high - low))
