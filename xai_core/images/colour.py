"""Colour modes of decoded pictures to 8-bit RGB as a screen shows it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

Picture = Image.Image
_BITS_PER_SAMPLE = 258
_PHOTOMETRIC = 262


def to_simple_mode(picture: Picture, size: tuple[int, int]) -> Picture:
    """Return the picture as L, RGB, CMYK or RGBA with 8 bits a channel; deep grey is shrunk to `size` on the way."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _to_eight_bits(picture, size)
    if picture.has_transparency_data:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _to_eight_bits(picture: Picture, size: tuple[int, int]) -> Picture:
    """Return grey of 16 or 32 bits as L, scaled from the range that its format means, else from the range it has."""
    # Shrunk by plain averages first, for memory: a sharper filter would overshoot the range that is read next.
    small = picture.resize(size, Image.Resampling.BOX)
    values = np.nan_to_num(np.asarray(small, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    tags = getattr(picture, "tag_v2", {})
    if picture.mode.startswith("I;16"):
        low, high = 0.0, 4095.0 if tags.get(_BITS_PER_SAMPLE) == (12,) else 65535.0
    elif low >= 0:
        tops = ((1.0,) if picture.mode == "F" else ()) + (255.0, 65535.0)
        low, high = 0.0, next((top for top in tops if high <= top), high)
    grey = (values - low) * (255.0 / max(high - low, 1e-12))
    # A TIFF whose zero is white: Pillow inverts only those of 8 bits.
    if picture.mode.startswith("I;16") and tags.get(_PHOTOMETRIC) == 0:
        grey = 255.0 - grey
    return Image.fromarray(np.rint(grey).clip(0, 255).astype(np.uint8))


def flatten_on_white(picture: Picture) -> Picture:
    """Return an RGBA picture as RGB on white; other modes as they are."""
    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white


def to_srgb(picture: Picture, profile: object) -> Picture:
    """Return RGB as a screen shows it: a sound colour profile that fits the mode is applied, any other ignored."""
    kinds = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
    if isinstance(profile, bytes) and profile[16:20] == kinds[picture.mode]:
        try:
            source, screen = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            return ImageCms.buildTransform(source, screen, picture.mode, "RGB").apply(picture)
        except (ImageCms.PyCMSError, ImportError, OSError, TypeError, ValueError):
            pass
    return picture.convert("RGB")
