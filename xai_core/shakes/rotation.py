"""Rotation about the middle."""

from __future__ import annotations

import math

import numpy as np

from xai_core.shakes.base.frames import Affine
from xai_core.shakes.base.spec import SHAKES, Shake


def _turn(side: int, degrees: float, _rng: np.random.Generator) -> Affine:
    """Return a turn to the left, as the picture is seen."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return Affine.about_middle(side, [[cosine, sine], [-sine, cosine]])


SHAKES.add(
    Shake(
        name="rotation",
        title="Turned",
        technical="rotation",
        group="place",
        rank=10,
        about="Turned about the middle, to the left from 0° on. Corners that would be empty show the mirror image.",
        values=tuple(float(degrees) for degrees in range(-180, 181, 15)),
        strong=45.0,
        neutral=0.0,
        frame=_turn,
        unit="°",
        mild=(-15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0),
    )
)
