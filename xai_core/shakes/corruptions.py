"""Corruptions at severity 1 to 5, one shake each; those that move parts of the picture have shakes of their own."""

from __future__ import annotations

import numpy as np

from xai_core.images.corruptions import CORRUPTIONS, Corruption
from xai_core.images.reading import Picture
from xai_core.shakes.base.spec import SHAKES, Shake


def _make_shake(corruption: Corruption) -> Shake:
    def change(picture: Picture, severity: float, rng: np.random.Generator) -> Picture:
        return corruption.change(picture, corruption.scale[int(severity) - 1], rng)

    severities = tuple(float(severity) for severity in range(len(corruption.scale) + 1))
    return Shake(
        name=f"corruption_{corruption.name}",
        title=corruption.title,
        technical="corruption",
        group="severity",
        rank=corruption.rank,
        about=corruption.about,
        values=severities,
        strong=3.0,
        neutral=0.0,
        change=change,
        words={severity: f"severity {severity:.0f}" if severity else "none" for severity in severities},
        range_words=f"1 to {len(corruption.scale)}",
        random=corruption.random,
    )


for _corruption in CORRUPTIONS.specs():
    if not _corruption.moves:
        SHAKES.add(_make_shake(_corruption))
