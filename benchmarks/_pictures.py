"""As many different pictures as there are visitors: the samples turned, mirrored and cropped by a seeded generator, as PNG files."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

import xai_core

LONGEST = 480
_TURNS = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


def _photos() -> list[Image.Image]:
    return [sample.load() for sample in xai_core.SAMPLES.specs() if sample.kind == "photo"]


def _variant(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A part of at least seven tenths a side, perhaps mirrored and turned, at most LONGEST pixels long."""
    share = rng.uniform(0.7, 1.0, 2)
    width, height = (round(side * part) for side, part in zip(photo.size, share, strict=True))
    left, top = (int(rng.integers(0, free + 1)) for free in (photo.width - width, photo.height - height))
    found = photo.crop((left, top, left + width, top + height))
    found = ImageOps.mirror(found) if rng.random() < 0.5 else found
    turn = _TURNS[int(rng.integers(len(_TURNS)))]
    found = found if turn is None else found.transpose(turn)
    found.thumbnail((LONGEST, LONGEST))
    return found


def pictures(count: int, seed: int = 0) -> Sequence[bytes]:
    """That many PNG files, no two alike."""
    rng, photos = np.random.default_rng(seed), _photos()
    found: dict[bytes, None] = {}
    while len(found) < count:
        buffer = io.BytesIO()
        _variant(photos[len(found) % len(photos)], rng).save(buffer, "PNG")
        found[buffer.getvalue()] = None
    return list(found)
