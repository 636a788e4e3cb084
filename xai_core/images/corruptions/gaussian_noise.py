"""Gaussian noise: random grain on every pixel."""

from __future__ import annotations

import numpy as np

from xai_core.images.corruptions.spec import CORRUPTIONS, Corruption, from_shares, to_shares
from xai_core.images.reading import Picture


def _add_noise(picture: Picture, deviation: float, rng: np.random.Generator) -> Picture:
    pixels = to_shares(picture)
    return from_shares(pixels + rng.normal(0, deviation, pixels.shape))


CORRUPTIONS.add(
    Corruption(
        name="gaussian_noise",
        title="Grain (Gaussian noise)",
        rank=10,
        about="Random grain on every pixel, as of a camera in the dark.",
        scale=(0.08, 0.12, 0.18, 0.26, 0.38),
        random=True,
        change=_add_noise,
    )
)
