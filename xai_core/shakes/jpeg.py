"""Saved as JPEG, from the best quality on."""

from xai_core.images.corruptions import CORRUPTIONS
from xai_core.shakes.base.spec import SHAKES, Shake

_QUALITIES = (95.0, 85.0, 75.0, 60.0, 50.0, 40.0, 30.0, 20.0, 15.0, 10.0, 5.0)

SHAKES.add(
    Shake(
        name="jpeg",
        title="Saved as JPEG",
        technical="compression",
        group="quality",
        rank=30,
        about="Packed harder and harder, down to blocks of 8 × 8 pixels. Usual files have a quality of 75 to 95.",
        values=_QUALITIES,
        strong=10.0,
        change=CORRUPTIONS.get("jpeg").change,
        words={quality: f"quality {quality:.0f}" for quality in _QUALITIES},
    )
)
