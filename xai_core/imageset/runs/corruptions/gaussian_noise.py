"""Gaussian noise: random grain on every pixel."""

from __future__ import annotations

import numpy as np

from xai_core.images import Picture
from xai_core.imageset.runs.corruptions.spec import CORRUPTIONS, Corruption, from_shares, to_shares


def _add_noise(picture: Picture, deviation: float, rng: np.random.Generator) -> Picture:
    pixels = to_shares(picture)
    return from_shares(pixels + rng.normal(0, deviation, pixels.shape))


CORRUPTIONS.add(
    Corruption(
        name="gaussian_noise",
        title="Grain (Gaussian noise)",
        rank=10,
        about="Random grain on every pixel, as of a camera in the dark.",
        levels=(0.08, 0.18, 0.38),
        change=_add_noise,
    )
)
