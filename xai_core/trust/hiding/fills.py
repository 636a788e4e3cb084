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
        return _make_continuation(pixels)
    blurred = make_baseline(pixels, "blur", np.random.default_rng(0))
    return lambda hidden: np.where(hidden[:, :, None], blurred, pixels)


def _make_continuation(pixels: Float32) -> Hide:
    """Return what continues the surroundings into the hidden part, the mean colour where nothing is left of them."""
    height, width = pixels.shape[:2]
    cell = max(min(height, width) // _SIDE, 1)
    mean = make_baseline(pixels, "mean", np.random.default_rng(0))
    is_even = height % cell == width % cell == 0
    blocks = pixels.reshape(height // cell, cell, width // cell, cell, -1) if is_even else pixels
    # Of cells that are wholly visible, as all are that a grid of pieces leaves.
    whole = blocks.mean((1, 3), dtype=np.float64).astype(np.float32) if is_even else pixels

    def hide(hidden: Bool) -> Float32:
        if hidden.all():
            return mean
        if cell == 1 or not is_even:
            return fill(pixels, hidden)
        visible = ~hidden.reshape(height // cell, cell, width // cell, cell)
        count = visible.sum((1, 3))
        if not count.any():
            return mean
        small = whole
        if ((count > 0) & (count < cell * cell)).any():
            total = (blocks * visible[..., None]).sum((1, 3))
            small = (total / np.maximum(count, 1)[:, :, None]).astype(np.float32)
        filled = fill(small, count == 0)
        return np.where(hidden[:, :, None], filled.repeat(cell, 0).repeat(cell, 1), pixels)

    return hide
