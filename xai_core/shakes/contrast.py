"""More or less contrast: every pixel goes away from the mean colour, or towards it."""

from xai_core.images.corruptions import CORRUPTIONS
from xai_core.shakes.base.spec import SHAKES, Shake

SHAKES.add(
    Shake(
        name="contrast",
        title="More or less contrast",
        technical="contrast",
        group="light",
        rank=20,
        about="Differences from the mean colour shrink or grow, in percent of what they are.",
        values=(5.0, 10.0, 20.0, 30.0, 40.0, 60.0, 80.0, 100.0, 130.0, 160.0, 200.0, 300.0),
        strong=30.0,
        neutral=100.0,
        change=lambda picture, percent, rng: CORRUPTIONS.get("contrast").change(picture, percent / 100, rng),
        unit="%",
        mild=(60.0, 80.0, 100.0, 130.0, 160.0),
    )
)
