"""Limits of uploaded pictures, checked on the header before anything is decoded, and their sentences."""

from __future__ import annotations

import struct
import zlib

from xai_core.errors import InvalidImage

MAX_BYTES = 25 * 1024 * 1024
MAX_PIXELS = 50_000_000
MIN_SIDE = 8
# Long side over short side.
MAX_RATIO = 40
# Chunks of a PNG or blocks of a GIF.
MAX_PIECES = 100_000
# Calls of `read` by Pillow, which goes through some formats byte by byte.
MAX_READS = 300_000
MAX_STRIPS = 20_000
# Strips and tags of a TIFF.
MAX_TAGS = 1_000
# Pixels times scans of a JPEG. With more than these, small files take many seconds.
MAX_SCANNED = 12 * MAX_PIXELS

ALLOWED = "A JPEG, PNG, HEIC, AVIF, WebP, BMP, GIF or TIFF picture of up to 25 MB is fine."
TOO_LARGE = "This picture has too many pixels: at most 50 million are allowed. Save it smaller and try again."
TOO_MANY = (
    "This picture is made of so many small pieces that reading it would take too long. "
    "Save it once more as JPEG or PNG."
)
# The first three were seen on mutated pictures (tests/images/test_images_refused.py), the rest is precaution.
# Exceptions that decoders raise on damage.
BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError, struct.error, zlib.error)


def check_area(width: int, height: int) -> None:
    """Raise InvalidImage for more than MAX_PIXELS."""
    if width * height > MAX_PIXELS:
        raise InvalidImage(f"{TOO_LARGE} Got {width:,} × {height:,} pixels.")


def check_size(width: int, height: int) -> None:
    """Raise InvalidImage for a picture with too many pixels, too small a side or too long a shape."""
    got = f"Got {width:,} × {height:,} pixels."
    check_area(width, height)
    if min(width, height) < MIN_SIDE:
        raise InvalidImage(
            f"This picture is too small: each side must be at least {MIN_SIDE} pixels. Choose a larger one. {got}"
        )
    if max(width, height) > MAX_RATIO * min(width, height):
        raise InvalidImage(
            f"This picture is too long and thin: the long side may be at most {MAX_RATIO} times the short one. "
            f"Cut out the part you care about and try again. {got}"
        )


def too_heavy(size: int | None) -> InvalidImage:
    """Return the error for a file of more than MAX_BYTES; `size` in bytes where it is known."""
    got = f" Got {size / 2**20:.1f} MB." if size else ""
    return InvalidImage(
        f"This file is larger than 25 MB, which is the most allowed. Save the picture smaller and try again.{got}"
    )
