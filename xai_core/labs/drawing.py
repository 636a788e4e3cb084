"""Small drawn pictures for the labs: figures with soft edges on a grainy ground, many at once.

Pictures are float32 (N, side, side, 3) in grey levels 0..255 until `to_bytes` rounds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from xai_core.arrays import Bool, Float32, UInt8

# Grey levels of the grain: a cue of a few levels is lost in it for the eye.
GRAIN = 7.0
# Share of a figure's size over which its edge fades: about a pixel of these small pictures.
_SOFT = 0.06
# Coordinates of a figure: 0 at its centre, its box reaches from -1 to 1, downwards and to the right.
# The value is above 0 inside the figure, and grows with the distance from its edge.
Inside = Callable[[Float32, Float32], Any]

_FONT = {
    "F": ("111", "100", "110", "100", "100"),
    "O": ("111", "101", "101", "101", "111"),
    "T": ("111", "010", "010", "010", "010"),
}
_WORD = "FOTO"


def _square(across: Float32, down: Float32) -> Any:
    return np.minimum(0.8 - np.abs(across), 0.8 - np.abs(down))


def _disc(across: Float32, down: Float32) -> Any:
    return 0.9 - np.hypot(across, down)


def _triangle(across: Float32, down: Float32) -> Any:
    return np.minimum(0.8 - down, (down + 0.9) * 0.5 - np.abs(across) * 0.95)


def _house(across: Float32, down: Float32) -> Any:
    """Walls with a wider roof."""
    walls = np.minimum(0.6 - np.abs(across), np.minimum(0.9 - down, down + 0.2))
    roof = np.minimum(-0.05 - down, (down + 1.0) - np.abs(across) * 0.95)
    return np.maximum(walls, roof)


def _tree(across: Float32, down: Float32) -> Any:
    """A round crown on a thin trunk."""
    trunk = np.minimum(0.16 - np.abs(across), np.minimum(0.95 - down, down))
    return np.maximum(0.62 - np.hypot(across, down + 0.35), trunk)


def _boat(across: Float32, down: Float32) -> Any:
    """A hull, narrower below, with a sail."""
    hull = np.minimum(np.minimum(0.85 - down, down - 0.35), 1.2 - np.abs(across) - 0.6 * down)
    sail = np.minimum(0.4 - down, np.minimum(0.7 - across * 1.3 + down * 0.6, across + 0.25))
    return np.maximum(hull, sail)


def _ring(across: Float32, down: Float32) -> Any:
    return 0.28 - np.abs(np.hypot(across, down) - 0.6)


def _plus(across: Float32, down: Float32) -> Any:
    arms = np.maximum(
        np.minimum(0.25 - np.abs(across), 0.85 - np.abs(down)), np.minimum(0.25 - np.abs(down), 0.85 - np.abs(across))
    )
    return arms


FIGURES: Mapping[str, Inside] = {
    "boat": _boat,
    "house": _house,
    "tree": _tree,
    "disc": _disc,
    "ring": _ring,
    "plus": _plus,
    "square": _square,
    "triangle": _triangle,
}


def draw_grounds(count: int, side: int, rng: Generator) -> Float32:
    """Return grounds of one colour that changes slowly from corner to corner."""
    corners = rng.uniform(60, 200, (count, 2, 2, 3)).astype(np.float32)
    share = np.linspace(0, 1, side, dtype=np.float32)
    rows = corners[:, :1] + (corners[:, 1:] - corners[:, :1]) * share[None, :, None, None]
    return rows[:, :, :1] + (rows[:, :, 1:] - rows[:, :, :1]) * share[None, None, :, None]


def draw_grain(count: int, side: int, rng: Generator) -> Float32:
    """Return the grain to add to pictures."""
    return rng.normal(0, GRAIN, (count, side, side, 3)).astype(np.float32)


def cover(figure: str, centres: Float32, radii: Float32, turns: Float32, side: int) -> Float32:
    """Return the share of each pixel that a figure covers, (N, side, side) in 0..1.

    `centres` (N, 2) as (row, column) and `radii` (N,) are in pixels, `turns` (N,) in radians.
    """
    pixels = np.arange(side, dtype=np.float32) + 0.5
    down = (pixels[None, :, None] - centres[:, 0, None, None]) / radii[:, None, None]
    across = (pixels[None, None, :] - centres[:, 1, None, None]) / radii[:, None, None]
    cosine, sine = np.cos(turns)[:, None, None], np.sin(turns)[:, None, None]
    depth = FIGURES[figure](across * cosine + down * sine, down * cosine - across * sine)
    share: Float32 = np.clip(depth / _SOFT + 0.5, 0, 1).astype(np.float32)
    return share


def paint(pictures: Float32, covered: Float32, colours: Float32) -> Float32:
    """Return pictures with one colour a picture, (N, 3), laid over the covered share (N, side, side)."""
    share = covered[..., None]
    return pictures * (1 - share) + colours[:, None, None, :] * share


def draw_colours(count: int, rng: Generator) -> Float32:
    """Return colours lighter or darker than any ground, (N, 3): the figure must be seen, its colour says nothing."""
    light = rng.random(count) < 0.5
    bright, dark = rng.uniform(200, 255, (count, 3)), rng.uniform(0, 60, (count, 3))
    return np.where(light[:, None], bright, dark).astype(np.float32)


def caption_stamp() -> Float32:
    """Return the caption in grey levels, (7, 17): light letters on a dark strip."""
    letters = [np.array([[int(bit) for bit in row] for row in _FONT[letter]]) for letter in _WORD]
    columns = [part for letter in letters for part in (letter, np.zeros((5, 1), int))][:-1]
    word = np.pad(np.hstack(columns), 1)
    return np.where(word > 0, 245.0, 25.0).astype(np.float32)


def box_mask(side: int, top: int, left: int) -> Bool:
    """Return True on the pixels of a caption at this place, (side, side)."""
    height, width = caption_stamp().shape
    mask = np.zeros((side, side), dtype=bool)
    mask[top : top + height, left : left + width] = True
    return mask


def to_bytes(pictures: Float32) -> UInt8:
    """Return the pictures in whole grey levels."""
    return np.clip(np.rint(pictures), 0, 255).astype(np.uint8)
