"""More brightness: the same added to every pixel."""

from __future__ import annotations

import numpy as np

from xai_core.images.corruptions.spec import CORRUPTIONS, Corruption, from_shares, to_shares
from xai_core.images.reading import Picture


def _brighten(picture: Picture, offset: float, _rng: np.random.Generator) -> Picture:
    return from_shares(to_shares(picture) + offset)


CORRUPTIONS.add(
    Corruption(
        name="brightness",
        title="Brighter",
        rank=50,
        about="All pixels get lighter; what was light already becomes white.",
        scale=(0.1, 0.2, 0.3, 0.4, 0.5),
        change=_brighten,
    )
)
