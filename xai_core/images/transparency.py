"""Transparent pictures on a ground on which something is to be seen."""

from __future__ import annotations

import numpy as np
from PIL import Image

Picture = Image.Image

# An alpha that stays below this, of 255, shows nothing in any viewer: it is left over, not meant.
_INVISIBLE = 8
# Share of clear or opaque pixels below which a fourth band is no transparency: where its meaning is stated, and not.
_STATED_SHARE, _UNSTATED_SHARE = 0.005, 0.25
# Levels from the ground, and share of the visible pixels, that make a drawing visible.
_MIN_CONTRAST, _MIN_VISIBLE = 40, 0.01
_GROUNDS = (("white", 255), ("grey", 128), ("black", 0))

_NO_ALPHA = "Its transparency hides every pixel, so it was ignored."
_NO_ALPHA_BAND = "It has a fourth band that is not transparency (infrared, perhaps): that band was left out."
ON_WHITE = "Its transparent parts were filled with white."
NOTHING_TO_SEE = "There is nothing to see in this picture: all of it has one colour."


def drop_false_alpha(picture: Picture, *, is_tiff: bool, is_stated: bool = True) -> tuple[Picture, str | None]:
    """Return an RGBA picture as RGB, with a note, where its alpha hides everything or is no transparency.

    `is_stated` if a TIFF says that its fourth band is transparency; the picture itself where its alpha is meant.
    """
    counts = np.asarray(picture.getchannel("A").histogram())
    if not counts[_INVISIBLE:].any():
        return _drop_alpha(picture), _NO_ALPHA
    share = (counts[0] + counts[255]) / counts.sum()
    if is_tiff and share < (_STATED_SHARE if is_stated else _UNSTATED_SHARE):
        return _drop_alpha(picture), _NO_ALPHA_BAND
    return picture, None


def _drop_alpha(picture: Picture) -> Picture:
    return Image.merge("RGB", picture.split()[:3])


def flatten(picture: Picture) -> tuple[Picture, str | None]:
    """Return an RGBA picture as RGB on white, or on grey or black where white would hide it, with a note on it."""
    alpha = picture.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return _drop_alpha(picture), None
    best, best_share = _GROUNDS[0], -1.0
    for ground in _GROUNDS:
        share = _visible_share(picture, ground[1])
        if share > best_share:
            best, best_share = ground, share
        if share >= _MIN_VISIBLE:
            break
    name, level = best
    flat = Image.new("RGB", picture.size, (level,) * 3)
    flat.paste(picture, mask=alpha)
    if name == "white":
        return flat, ON_WHITE
    return flat, f"Its transparent parts were filled with {name}, because little of it would be seen on white."


def _visible_share(picture: Picture, level: int) -> float:
    """Return the share of the not wholly clear pixels that stand out from a grey ground."""
    pixels = np.asarray(picture)
    colours, alpha = pixels[:, :, :3], pixels[:, :, 3]
    contrast = np.abs(colours.astype(np.int16) - level).max(axis=2) * (alpha / 255.0)
    inked = alpha > 0
    return float((contrast[inked] >= _MIN_CONTRAST).mean()) if inked.any() else 0.0


def describe_emptiness(picture: Picture) -> str | None:
    """Return a note for a picture of one single colour."""
    colours = np.asarray(picture)
    return NOTHING_TO_SEE if (colours == colours[0, 0]).all() else None
