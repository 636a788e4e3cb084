"""Resize pictures to the size that a model looks at, by torch's kernel for bytes: for single pictures and sets alike.

It weighs bytes as Pillow does, in less time. Of a photograph's numbers some four in a thousand are a level above or
below Pillow's, none more than two: torch keeps weights of 16 bits, Pillow of 32. torch goes along the rows first,
Pillow 13 not for pictures twice as tall as wide.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from xai_core.arrays import UInt8

Interpolation: TypeAlias = Literal["bilinear", "bicubic"]

# Raised when `resize` would give other bytes; part of the id of what is computed from them.
VERSION = 2


def resize(image: Image.Image, size: tuple[int, int], interpolation: Interpolation) -> UInt8:
    """Return a picture in grey or colour (L or RGB) at `size` (width, height) as bytes, (height, width, channels).

    >>> resize(Image.new("RGB", (40, 20), "white"), (8, 4), "bicubic").shape
    (4, 8, 3)
    """
    # A copy, because torch cannot read the read-only buffer of a picture.
    pixels = torch.from_numpy(np.array(image)).view(1, image.height, image.width, -1)
    output = F.interpolate(pixels.permute(0, 3, 1, 2), size[::-1], mode=interpolation, antialias=True)
    values: UInt8 = output[0].permute(1, 2, 0).numpy()
    return values
