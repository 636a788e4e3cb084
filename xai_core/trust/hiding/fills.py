"""Ways to hide pieces of a picture: a blurred copy shows through, or the surroundings are continued into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from xai_core.arrays import Bool, Float32
from xai_core.errors import UnknownName
from xai_core.images import make_baseline
from xai_core.images.fill import fill

Hide = Callable[[Bool], Float32]
FILLS: Mapping[str, str] = MappingProxyType({"blur": "a blurred copy", "neighbours": "what surrounds them"})
# Pixels a side of the picture in which surroundings are continued: the result is smooth, and sixteen times as fast.
_SIDE = 56


def make_hider(pixels: Float32, kind: str) -> Hide:
    """Return a function from a mask (H, W), True where hidden, to the picture (H, W, C) in 0..1 without those pixels.

    Raises:
        UnknownName: `kind` is not one of FILLS.
    """
    if kind not in FILLS:
        raise UnknownName.of("filling", kind, FILLS)
    if kind == "neighbours":
        return lambda hidden: _continue_surroundings(pixels, hidden)
    blurred = make_baseline(pixels, "blur", np.random.default_rng(0))
    return lambda hidden: np.where(hidden[:, :, None], blurred, pixels)


def _continue_surroundings(pixels: Float32, hidden: Bool) -> Float32:
    """Return the picture with its surroundings continued into the hidden part; its mean colour where all is hidden."""
    if hidden.all():
        return make_baseline(pixels, "mean", np.random.default_rng(0))
    cell = max(min(hidden.shape) // _SIDE, 1)
    height, width = (length // cell for length in hidden.shape)
    if cell == 1 or height * cell != hidden.shape[0] or width * cell != hidden.shape[1]:
        return fill(pixels, hidden)
    blocks = pixels.reshape(height, cell, width, cell, -1)
    visible = ~hidden.reshape(height, cell, width, cell)
    count = visible.sum((1, 3))
    if not count.any():
        return make_baseline(pixels, "mean", np.random.default_rng(0))
    total = (blocks * visible[..., None]).sum((1, 3))
    small = (total / np.maximum(count, 1)[:, :, None]).astype(np.float32)
    filled = fill(small, count == 0)
    large = filled.repeat(cell, 0).repeat(cell, 1)
    return np.where(hidden[:, :, None], large, pixels)
