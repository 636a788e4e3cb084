"""Strokes that digits are made of, light on dark, 28 x 28 pixels: loops, bows and straight lines."""

from __future__ import annotations

import zlib

import numpy as np
from PIL import Image

from xai_core.arrays import Float32, Float64
from xai_core.inside.concepts.kit import KITS, ConceptKit

SIDE = 28
# The digits of scikit-learn have 8 x 8 places: a stroke is about one and a half of them wide.
_WIDTHS = (3.6, 5.4)
_MARGIN = 2.0
# Pixels over which a stroke fades: eight places over 28 pixels are soft.
_SOFT = 3.0


def _make_path(concept: str, rng: np.random.Generator) -> Float64:
    """Return points along the stroke, (n, 2) as x and y around 0, before it is placed."""
    if concept == "loop":
        radius, flatness = rng.uniform(4.0, 11.0), rng.uniform(0.6, 1.0)
        turn = np.linspace(0, 2 * np.pi, 60)
        points = np.stack([flatness * radius * np.cos(turn), radius * np.sin(turn)], axis=1)
        return _turn(points, rng.uniform(-0.5, 0.5))
    # At most half a circle: a longer one would look like a loop.
    if concept == "bow":
        radius, start = rng.uniform(4.0, 11.0), rng.uniform(0, 2 * np.pi)
        turn = start + np.linspace(0, rng.uniform(0.55, 0.95) * np.pi, 40)
        return np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    length = rng.uniform(10.0, 24.0)
    line = np.stack([np.zeros(40), np.linspace(-length / 2, length / 2, 40)], axis=1)
    return _turn(line, np.deg2rad(_ANGLES[concept] + rng.uniform(-8, 8)))


# Degrees from upright, clockwise on the screen.
_ANGLES = {"upright": 0.0, "rising": 45.0, "level": 90.0, "falling": -45.0}


def _turn(points: Float64, angle: float) -> Float64:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.asarray(points @ np.array([[cosine, sine], [-sine, cosine]]))


def _paint(points: Float64, width: float) -> Float32:
    """Return how light each pixel is, 0 to 1, of a stroke with soft edges."""
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    gaps = np.hypot(columns[..., None] - points[:, 0], rows[..., None] - points[:, 1]).min(-1)
    return np.asarray(np.clip((width / 2 + _SOFT / 2 - gaps) / _SOFT, 0, 1), dtype=np.float32)


def draw_stroke(concept: str, number: int, seed: int) -> Image.Image:
    """Return one stroke at a random place, of random size, width and brightness."""
    rng = np.random.default_rng([seed, number, zlib.crc32(concept.encode())])
    points = _make_path(concept, rng)
    low, high = points.min(0), points.max(0)
    # A stroke lies wherever it fits.
    room = np.maximum(SIDE - 2 * _MARGIN - (high - low), 0)
    points = points - low + _MARGIN + rng.uniform(0, 1, 2) * room
    light = _paint(points, rng.uniform(*_WIDTHS)) * rng.uniform(0.75, 1.0)
    return Image.fromarray(np.rint(255 * light).astype(np.uint8))


KITS.add(
    ConceptKit(
        name="strokes",
        title="Strokes of digits",
        about="Single strokes, light on dark: closed loops, open bows, and straight lines in four directions.",
        channels=1,
        titles={
            "loop": "a closed loop",
            "bow": "an open bow",
            "upright": "a vertical line",
            "level": "a horizontal line",
            "rising": "a rising line (/)",
            "falling": "a falling line (\\)",
        },
        draw=draw_stroke,
    )
)
