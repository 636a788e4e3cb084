"""Patterns and shapes of generated pictures, each as the pixels (side, side) that it marks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from xai_core.arrays import Bool, Float64

Pattern = Callable[[Float64, Float64, float], Bool]
Shape = Callable[[Float64, Float64, float], Bool]


def _stripes(down: float, right: float) -> Pattern:
    """Return stripes that change along (down, right) and run across it."""

    def mark(y: Float64, x: Float64, period: float) -> Bool:
        along: Bool = (down * y + right * x) % period < period / 2
        return along

    return mark


def _mark_dots(y: Float64, x: Float64, period: float) -> Bool:
    dots: Bool = np.hypot(y % period - period / 2, x % period - period / 2) < 0.3 * period
    return dots


def _mark_checks(y: Float64, x: Float64, period: float) -> Bool:
    return np.asarray((y % period < period / 2) == (x % period < period / 2))


def _mark_grid(y: Float64, x: Float64, period: float) -> Bool:
    return np.asarray((y % period < 0.25 * period) | (x % period < 0.25 * period))


_HALF = float(np.sqrt(0.5))
PATTERNS: Mapping[str, Pattern] = {
    "horizontal stripes": _stripes(1, 0),
    "vertical stripes": _stripes(0, 1),
    "rising stripes": _stripes(_HALF, _HALF),
    "falling stripes": _stripes(_HALF, -_HALF),
    "dots": _mark_dots,
    "checks": _mark_checks,
    "grid": _mark_grid,
}


def _fill_disc(y: Float64, x: Float64, radius: float) -> Bool:
    disc: Bool = np.hypot(y, x) < radius
    return disc


def _fill_square(y: Float64, x: Float64, radius: float) -> Bool:
    return np.asarray(np.maximum(abs(y), abs(x)) < 0.85 * radius)


def _fill_triangle(y: Float64, x: Float64, radius: float) -> Bool:
    return np.asarray((y < 0.7 * radius) & (abs(x) < 0.6 * (y + radius)))


def _fill_ring(y: Float64, x: Float64, radius: float) -> Bool:
    distance = np.hypot(y, x)
    return np.asarray((distance < 1.1 * radius) & (distance > 0.55 * radius))


SHAPES: Mapping[str, Shape] = {
    "disc": _fill_disc,
    "square": _fill_square,
    "triangle": _fill_triangle,
    "ring": _fill_ring,
}


def _stroke(down: float, right: float) -> Shape:
    """Return a line along (down, right)."""

    def fill(y: Float64, x: Float64, radius: float) -> Bool:
        along, across = down * y + right * x, right * y - down * x
        return np.asarray((abs(along) < radius) & (abs(across) < 0.12 * radius))

    return fill


def _fill_loop(y: Float64, x: Float64, radius: float) -> Bool:
    return np.asarray(abs(np.hypot(y, 1.3 * x) - 0.85 * radius) < 0.12 * radius)


STROKES: Mapping[str, Shape] = {
    "horizontal stroke": _stroke(0, 1),
    "vertical stroke": _stroke(1, 0),
    "slanted stroke": _stroke(-_HALF, _HALF),
    "loop": _fill_loop,
}
