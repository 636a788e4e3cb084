"""Dark ink on light paper for models that were trained on light strokes on a dark ground."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from PIL import Image, ImageOps

Picture = Image.Image

# The sentence beside the button.
INVERSION_HINT = (
    "This looks like dark strokes on light paper, and the model was trained on light strokes on a dark ground. "
    "Invert the picture, and it gets what it knows."
)
_SIDE = 96
# Share of the shorter side that counts as border.
_BORDER = 0.06
# Level of the paper below which it is not light.
_MIN_PAPER = 120
# Shares of the paper's level: above is paper, below is ink.
_PAPER, _INK = 0.8, 0.6
_MIN_BORDER_SHARE = 0.85
_MIN_PAPER_SHARE, _MAX_BETWEEN_SHARE = 0.5, 0.2
_INK_SHARES = (0.004, 0.4)


class StrokeNeeds(Protocol):
    """The part of a model's record that says which strokes it knows."""

    @property
    def wants_light_strokes(self) -> bool:
        """True if the model was trained on light strokes on a dark ground."""


def invert(image: Picture) -> Picture:
    """Return the RGB negative of a picture.

    >>> invert(Image.new("L", (1, 1), 10)).getpixel((0, 0))
    (245, 245, 245)
    """
    return ImageOps.invert(image.convert("RGB"))


def suggest_inversion(image: Picture, model_spec: StrokeNeeds) -> bool:
    """Say if a model wants light strokes on a dark ground and the picture shows dark ones on light paper."""
    return model_spec.wants_light_strokes and shows_dark_strokes(image)


def shows_dark_strokes(image: Picture) -> bool:
    """Say if a picture is dark strokes on light paper: a light border, and little between paper and ink.

    Each pixel is compared with the paper around it, because paper in a photo is lit unevenly.
    """
    grey = image.convert("L")
    grey.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=None)
    levels = np.asarray(grey, dtype=np.float32)
    band = max(1, round(_BORDER * min(levels.shape)))
    inside = np.zeros(levels.shape, bool)
    inside[band:-band, band:-band] = True
    border = levels[~inside]
    paper = float(np.median(border))
    if paper < _MIN_PAPER:
        return False
    is_paper, is_ink = levels >= _PAPER * paper, levels <= _INK * paper
    between = ~is_paper & ~is_ink
    return bool(
        is_paper[~inside].mean() >= _MIN_BORDER_SHARE
        and is_paper.mean() >= _MIN_PAPER_SHARE
        and between.mean() <= _MAX_BETWEEN_SHARE
        and _INK_SHARES[0] <= is_ink.mean() <= _INK_SHARES[1]
    )
