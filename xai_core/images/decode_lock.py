"""Exclusive decoding of large pictures: thirty visitors with 50 million pixels each would take all of the memory."""

from __future__ import annotations

import math
import threading
from contextlib import AbstractContextManager, nullcontext

from PIL import Image

# Pictures above this are decoded one at a time. Up to it one takes at most 150 MB, the largest allowed one 600 MB.
LARGE_PIXELS = 12_000_000

_LARGE = threading.Lock()

# Pillow holds a picture in blocks of 16 MB, which the C library keeps for each thread; blocks above 32 MB are returned.
Image.core.set_block_size(64 * 2**20)  # type: ignore[attr-defined]


def exclusive_decode(size: tuple[int, int]) -> AbstractContextManager[object]:
    """Return the lock to hold while a picture of this (width, height) is decoded; small pictures need none."""
    return _LARGE if math.prod(size) > LARGE_PIXELS else nullcontext()
