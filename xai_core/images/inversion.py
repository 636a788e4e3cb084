"""Dark ink on light paper for models that were trained on light strokes on a dark ground."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from PIL import Image, ImageOps

from xai_core.arrays import Bool, Float64

Picture = Image.Image

# The sentence beside the button.
INVERSION_HINT = (
    "This looks like dark strokes on light paper, and the model was trained on light strokes on a dark ground. "
    "Invert the picture, and it gets what it knows."
)
_SIDE = 96
# Share of the shorter side that counts as border.
_BORDER = 0.06
# Level of the paper, of 255, below which it is not light, and its least share of the border and of the picture.
_MIN_PAPER, _MIN_BORDER_SHARE, _MIN_PAPER_SHARE = 120, 0.6, 0.35
# Shares of the paper's light: above is paper, below is ink.
_PAPER, _INK = 0.82, 0.65
_INK_SHARES = (0.003, 0.5)
# Between paper and ink lie the blurred edges of strokes, and most of a photo.
_MAX_BETWEEN = 0.25
# Median distance of the paper from its even light: larger where it has a texture, as grass or clouds have.
_MAX_TEXTURE = 0.033
# Distance of the colours from the line between paper and ink, 1 for the paper's light.
_MAX_COLOURS = 0.1


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
    """Say if a picture is dark strokes on light paper: a light border, one ink, and little between paper and ink.

    Light that falls unevenly on the paper is taken out first: a smooth surface through the border's light.
    """
    small = image.convert("RGB")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    colours = np.asarray(small, dtype=np.float64)
    is_border = np.ones(colours.shape[:2], bool)
    band = max(1, round(_BORDER * min(is_border.shape)))
    is_border[band:-band, band:-band] = False
    if float(np.median(colours.mean(axis=2)[is_border])) < _MIN_PAPER:
        return False
    relative = colours / _fit_paper(colours, is_border)
    light = relative.mean(axis=2)
    is_paper, is_ink = light >= _PAPER, light <= _INK
    return bool(
        is_paper[is_border].mean() >= _MIN_BORDER_SHARE
        and is_paper.mean() >= _MIN_PAPER_SHARE
        and _INK_SHARES[0] <= is_ink.mean() <= _INK_SHARES[1]
        and (~is_paper & ~is_ink).mean() <= _MAX_BETWEEN
        and float(np.median(np.abs(light[is_paper] - 1))) <= _MAX_TEXTURE
        and _measure_colours(1 - relative, is_ink) <= _MAX_COLOURS
    )


def _fit_paper(colours: Float64, is_border: Bool) -> Float64:
    """Return the light of the paper at every pixel, (H, W, 3): a quadratic through the lighter half of the border."""
    light = colours.mean(axis=2)
    y, x = (axis.astype(np.float64) / _SIDE for axis in np.indices(light.shape))
    terms = np.stack([np.ones_like(y), y, x, y * x, y * y, x * x], axis=2)
    chosen = is_border & (light >= np.median(light[is_border]))
    surface = np.linalg.lstsq(terms[chosen], colours[chosen], rcond=None)[0]
    return np.asarray(terms @ surface).clip(_MIN_PAPER / 2, None)


def _measure_colours(darkness: Float64, is_ink: Bool) -> float:
    """Return how far, on average, colours lie from the line between paper (0) and ink."""
    ink = darkness[is_ink].mean(axis=0)
    ink /= np.linalg.norm(ink)
    aside = darkness - (darkness @ ink)[..., None] * ink
    return float(np.sqrt((aside**2).sum(axis=2).mean()))
