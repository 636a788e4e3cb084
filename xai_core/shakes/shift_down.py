"""Shift down or up by whole pixels."""

from __future__ import annotations

import numpy as np

from xai_core.shakes.base.frames import Affine
from xai_core.shakes.base.spec import SHAKES, Shake


def _shift(side: int, share: float, _rng: np.random.Generator) -> Affine:
    shift = float(round(side * share / 100))
    return Affine.about_middle(side, np.eye(2), (-shift, 0.0))


SHAKES.add(
    Shake(
        name="shift_down",
        title="Moved down or up",
        technical="translation, down",
        group="place",
        rank=30,
        about="Moved down (+) or up (−) by whole pixels, in percent of the side. The gap shows the mirror image.",
        values=tuple(float(share) for share in range(-40, 41, 5)),
        strong=20.0,
        neutral=0.0,
        frame=_shift,
        unit="%",
        mild=(-10.0, -5.0, 0.0, 5.0, 10.0),
    )
)
