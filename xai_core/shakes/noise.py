"""Gaussian noise, from none on; the grain is the same at every strength."""

from xai_core.images.corruptions import CORRUPTIONS
from xai_core.shakes.base.spec import SHAKES, Shake

SHAKES.add(
    Shake(
        name="noise",
        title="Grainy",
        technical="Gaussian noise",
        group="quality",
        rank=20,
        about="Random grain on every pixel, as of a camera in the dark, in percent of the way from black to white.",
        values=(0.0, 2.0, 4.0, 6.0, 8.0, 12.0, 18.0, 26.0, 38.0, 50.0),
        strong=12.0,
        neutral=0.0,
        change=lambda picture, percent, rng: CORRUPTIONS.get("gaussian_noise").change(picture, percent / 100, rng),
        unit="%",
        random=True,
    )
)
