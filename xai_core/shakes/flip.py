"""Left and right, or top and bottom, exchanged."""

from __future__ import annotations

import numpy as np

from xai_core.shakes.base.frames import Affine
from xai_core.shakes.base.spec import SHAKES, Shake

_MATRICES = {1.0: (1, -1), 2.0: (-1, 1), 3.0: (-1, -1)}


def _mirror(side: int, way: float, _rng: np.random.Generator) -> Affine:
    return Affine.about_middle(side, np.diag(_MATRICES.get(way, (1, 1))))


SHAKES.add(
    Shake(
        name="flip",
        title="Mirrored",
        technical="flip",
        group="place",
        rank=50,
        about="Left and right change places, or top and bottom, or both.",
        values=(0.0, 1.0, 2.0, 3.0),
        strong=1.0,
        neutral=0.0,
        frame=_mirror,
        words={0.0: "as it is", 1.0: "left and right", 2.0: "top and bottom", 3.0: "both"},
        mild=(0.0, 1.0),
    )
)
