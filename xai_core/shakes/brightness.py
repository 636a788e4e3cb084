"""Lighter or darker: the same added to every pixel."""

from xai_core.images.corruptions import CORRUPTIONS
from xai_core.shakes.base.spec import SHAKES, Shake

SHAKES.add(
    Shake(
        name="brightness",
        title="Lighter or darker",
        technical="brightness",
        group="light",
        rank=10,
        about="The same is added to every pixel, in percent of the way from black to white.",
        values=tuple(float(percent) for percent in range(-60, 61, 10)),
        strong=30.0,
        neutral=0.0,
        change=lambda picture, percent, rng: CORRUPTIONS.get("brightness").change(picture, percent / 100, rng),
        unit="%",
        mild=(-20.0, -10.0, 0.0, 10.0, 20.0),
    )
)
