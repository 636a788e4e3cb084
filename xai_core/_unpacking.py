"""Large pictures are unpacked one after the other: thirty visitors with one of 50 million pixels each would take all of the memory."""

from __future__ import annotations

import math
import threading
from contextlib import AbstractContextManager, nullcontext

from PIL import Image

LARGE_PIXELS = 12_000_000
"""Above this a picture is unpacked alone. Up to then one takes at most 150 MB, the largest that is allowed 600."""

_LARGE = threading.Lock()

# Pillow holds a picture in pieces of 16 MB, of which the C library keeps many for each thread; pieces above 32 MB it gives back at once.
Image.core.set_block_size(64 * 2**20)  # type: ignore[attr-defined]


def unpacking(size: tuple[int, int]) -> AbstractContextManager[object]:
    """To be held while a picture of this size is unpacked."""
    return _LARGE if math.prod(size) > LARGE_PIXELS else nullcontext()
