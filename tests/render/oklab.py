"""The inverse of `srgb_from_oklab`, for tests of colours."""

from __future__ import annotations

import numpy as np

from xai_core.arrays import Float
from xai_core.render import colour


def oklab_from_srgb(rgb: Float) -> Float:
    """Return Oklab (N, 3) of sRGB in 0..1, (N, 3)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lab: Float = np.cbrt(linear @ np.linalg.inv(colour._RGB_FROM_LMS).T) @ np.linalg.inv(colour._LMS_FROM_LAB).T
    return lab
