"""Shift right or left by whole pixels."""

from __future__ import annotations

import numpy as np

from xai_core.shakes.base.frames import Affine
from xai_core.shakes.base.spec import SHAKES, Shake


def _shift(side: int, share: float, _rng: np.random.Generator) -> Affine:
    shift = float(round(side * share / 100))
    return Affine.about_middle(side, np.eye(2), (0.0, -shift))


SHAKES.add(
    Shake(
        name="shift_across",
        title="Moved right or left",
        technical="translation, across",
        group="place",
        rank=20,
        about="Moved right (+) or left (−) by whole pixels, in percent of the side. The gap shows the mirror image.",
        values=tuple(float(share) for share in range(-40, 41, 5)),
        strong=20.0,
        neutral=0.0,
        frame=_shift,
        unit="%",
        mild=(-10.0, -5.0, 0.0, 5.0, 10.0),
    )
)
