"""A map of a moved picture, drawn on the original one: what the moved one does not show is dark."""

from __future__ import annotations

import numpy as np
from PIL import Image

from xai_core.arrays import Bool, Float32
from xai_core.render.overlay import overlay

# Brightness of what is not shown, as a share.
_DIM = 0.3


def draw_map_back(picture: Image.Image, restored: Float32, common: Bool) -> Image.Image:
    """Return the original picture with a restored map (H, W); it is dark where `common` (H, W) is False."""
    drawn = overlay(picture, restored)
    shown = np.asarray(Image.fromarray(common).resize(drawn.size, Image.Resampling.NEAREST))
    light = np.where(shown, 1, _DIM)[..., None]
    return Image.fromarray(np.rint(np.asarray(drawn) * light).astype(np.uint8))
