"""As many different pictures as there are visitors: the samples turned, mirrored and cropped by a seeded generator, as
PNG files.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageOps

import xai_core

LONGEST = 512
_TURNS = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


@cache
def _photos() -> Sequence[Image.Image]:
    """All sample photographs, smaller: what is cut out of them has to be made quickly, not to be large."""
    found = [sample.load() for sample in xai_core.SAMPLES.specs() if sample.kind == "photo"]
    for photo in found:
        photo.thumbnail((LONGEST, LONGEST))
    return found


def _variant(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A part of at least seven tenths a side, perhaps mirrored and turned."""
    share = rng.uniform(0.7, 1.0, 2)
    width, height = (round(side * part) for side, part in zip(photo.size, share, strict=True))
    left, top = (int(rng.integers(0, free + 1)) for free in (photo.width - width, photo.height - height))
    found = photo.crop((left, top, left + width, top + height))
    found = ImageOps.mirror(found) if rng.random() < 0.5 else found
    turn = _TURNS[int(rng.integers(len(_TURNS)))]
    return found if turn is None else found.transpose(turn)


def pictures(count: int, seed: int = 0) -> Sequence[bytes]:
    """That many PNG files, no two alike."""
    rng, photos = np.random.default_rng(seed), _photos()
    found: dict[bytes, None] = {}
    while len(found) < count:
        buffer = io.BytesIO()
        _variant(photos[len(found) % len(photos)], rng).save(buffer, "PNG", compress_level=1)
        found[buffer.getvalue()] = None
    return list(found)
