"""Gaussian blur, from sharp on."""

from xai_core.images.corruptions import CORRUPTIONS
from xai_core.shakes.base.spec import SHAKES, Shake

SHAKES.add(
    Shake(
        name="blur",
        title="Blurred",
        technical="Gaussian blur",
        group="quality",
        rank=10,
        about="Every pixel is mixed with those around it, as if out of focus. Widths are for 224 pixels a side.",
        values=(0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0),
        strong=3.0,
        neutral=0.0,
        change=CORRUPTIONS.get("blur").change,
        unit="pixels",
    )
)
