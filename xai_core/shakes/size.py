"""Larger or smaller about the middle."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from xai_core.images.reading import Picture
from xai_core.shakes.base.frames import Affine
from xai_core.shakes.base.spec import SHAKES, Shake


def _frame(side: int, percent: float, _rng: np.random.Generator) -> Affine:
    return Affine.about_middle(side, np.eye(2) * 100 / percent)


def _resize(picture: Picture, percent: float, _rng: np.random.Generator) -> Picture:
    """Resize with an antialiased kernel: a shrunk picture would flicker otherwise."""
    side, pixels = picture.width, np.asarray(picture)
    shown = side * 100 / percent
    edge = max(0, math.ceil((shown - side) / 2)) + 2
    wide = Image.fromarray(np.pad(pixels, [(edge, edge)] * 2 + [(0, 0)] * (pixels.ndim - 2), mode="reflect"))
    first = edge + (side - shown) / 2
    return wide.resize(picture.size, Image.Resampling.BICUBIC, box=(first, first, first + shown, first + shown))


SHAKES.add(
    Shake(
        name="size",
        title="Larger or smaller",
        technical="scale",
        group="place",
        rank=40,
        about="Enlarged or shrunk about the middle. Around a shrunk picture stands its mirror image.",
        values=(40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0, 115.0, 130.0, 150.0, 175.0, 200.0, 250.0),
        strong=60.0,
        neutral=100.0,
        change=_resize,
        frame=_frame,
        unit="%",
        mild=(80.0, 90.0, 100.0, 115.0, 130.0),
    )
)
