"""Patch shuffle: square cells of the picture change places; every detail stays, the shape goes."""

from __future__ import annotations

import numpy as np

from xai_core.shakes.base.frames import Cells
from xai_core.shakes.base.spec import SHAKES, Shake


def _shuffle(side: int, cells: float, rng: np.random.Generator) -> Cells:
    return Cells(side, int(cells), rng.permutation(int(cells) ** 2))


SHAKES.add(
    Shake(
        name="patch_shuffle",
        title="Cut up and mixed",
        technical="patch shuffle",
        group="order",
        rank=10,
        about="Cut into equal squares that change places at random: the details stay, the shape of the thing goes.",
        values=(1.0, 2.0, 4.0, 8.0),
        strong=4.0,
        neutral=1.0,
        frame=_shuffle,
        words={1.0: "whole", 2.0: "2 × 2 squares", 4.0: "4 × 4 squares", 8.0: "8 × 8 squares"},
        random=True,
    )
)
