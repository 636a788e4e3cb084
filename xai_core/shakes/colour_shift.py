"""Colours turned around the colour circle; light and dark stay."""

from __future__ import annotations

import numpy as np
from PIL import Image

from xai_core.images.reading import Picture
from xai_core.shakes.base.spec import SHAKES, Shake


def _shift_hue(picture: Picture, degrees: float, _rng: np.random.Generator) -> Picture:
    """Return the picture with every hue turned; a grey picture has none, so it stays."""
    if picture.mode != "RGB":
        return picture
    hue, saturation, value = picture.convert("HSV").split()
    turned = (np.asarray(hue, dtype=np.int64) + round(degrees * 256 / 360)) % 256
    return Image.merge("HSV", (Image.fromarray(turned.astype(np.uint8)), saturation, value)).convert("RGB")


SHAKES.add(
    Shake(
        name="colour_shift",
        title="Other colours",
        technical="hue shift",
        group="light",
        rank=30,
        about="Every colour moves on around the colour circle: at 120° red becomes green. Grey stays grey.",
        values=tuple(float(degrees) for degrees in range(-180, 181, 30)),
        strong=120.0,
        neutral=0.0,
        change=_shift_hue,
        unit="°",
    )
)
