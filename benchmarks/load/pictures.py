"""Distinct pictures for all visitors: samples turned, mirrored and cropped by a seeded generator, as PNG files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageOps

import xai_core

MAX_SIDE = 512
_TURNS = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


@cache
def _load_photos() -> Sequence[Image.Image]:
    """Load all sample photographs, reduced to MAX_SIDE so that crops are fast."""
    photos = [sample.load() for sample in xai_core.SAMPLES.specs() if sample.kind == "photo"]
    for photo in photos:
        photo.thumbnail((MAX_SIDE, MAX_SIDE))
    return photos


def _make_variant(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Crop at least seven tenths of each side, and mirror and turn at random."""
    share = rng.uniform(0.7, 1.0, 2)
    width, height = (round(side * part) for side, part in zip(photo.size, share, strict=True))
    left, top = (int(rng.integers(0, free + 1)) for free in (photo.width - width, photo.height - height))
    part = photo.crop((left, top, left + width, top + height))
    part = ImageOps.mirror(part) if rng.random() < 0.5 else part
    turn = _TURNS[int(rng.integers(len(_TURNS)))]
    return part if turn is None else part.transpose(turn)


def make_pictures(count: int, seed: int = 0) -> Sequence[bytes]:
    """Make `count` distinct PNG files."""
    rng, photos = np.random.default_rng(seed), _load_photos()
    files: dict[bytes, None] = {}
    while len(files) < count:
        buffer = io.BytesIO()
        _make_variant(photos[len(files) % len(photos)], rng).save(buffer, "PNG", compress_level=1)
        files[buffer.getvalue()] = None
    return list(files)
