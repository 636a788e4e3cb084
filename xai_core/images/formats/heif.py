"""HEIC photos, as phones take them, by pillow-heif; sizes of HEIC and AVIF from their boxes."""

from __future__ import annotations

import re
import struct
from io import BytesIO

from PIL.ImageFile import ImageFile

from xai_core.errors import InvalidImage
from xai_core.images.limits import MAX_PIECES, TOO_MANY, check_area

# A box "ispe": the size of one item of the file (the picture, its tiles, its thumbnails).
_ITEM_SIZE = re.compile(rb"ispe\0\0\0\0(.{8})", re.DOTALL)
# A box "colr" with numbers for primaries and transfer (ITU-T H.273) instead of a profile.
_COLOUR_CODES = re.compile(rb"colrnclx(.{4})", re.DOTALL)
# Pixels of all tiles over those of the picture.
_MAX_TILE_RATIO = 4


def check_item_sizes(data: bytes) -> None:
    """Raise InvalidImage where any item of an HEIC or AVIF has too many pixels."""
    for size in _ITEM_SIZE.findall(data):
        check_area(*struct.unpack(">II", size))


def check_length(data: bytes) -> None:
    """Raise EOFError for an HEIC or AVIF that ends inside its pixels: libheif would show missing tiles as black."""
    at = 0
    for _ in range(MAX_PIECES):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        # A length of 1 stands for one of 64 bits behind the name, 0 for the rest of the file.
        length = int.from_bytes(data[at + 8 : at + 16], "big") if length == 1 else length
        if kind in (b"mdat", b"meta") and at + length > len(data):
            raise EOFError("cut off")
        if length < 8 or at + length > len(data):
            return
        at += length
    raise InvalidImage(TOO_MANY)


def read_colour_codes(data: bytes) -> tuple[int, int] | None:
    """Return the codes of primaries and transfer that an HEIC or AVIF states first."""
    codes = _COLOUR_CODES.search(data)
    return struct.unpack(">HH", codes[1]) if codes else None


def open_heif(data: bytes) -> ImageFile:
    """Return the primary picture of an HEIC, turned as its boxes say (its EXIF repeats that); nothing is decoded yet.

    Raises SyntaxError for a damaged file, and one of another coding than HEVC.
    """
    # Here, because few visitors have such a file.
    from pillow_heif import HeifImageFile

    picture: ImageFile = HeifImageFile(BytesIO(data))  # type: ignore[no-untyped-call]
    tiles = picture.info.get("tiling") or {}
    area = picture.width * picture.height * _MAX_TILE_RATIO
    if tiles and tiles["num_columns"] * tiles["num_rows"] * tiles["tile_width"] * tiles["tile_height"] > area:
        raise SyntaxError("tiles larger than the picture")
    return picture


def load(picture: ImageFile) -> None:
    """Decode an opened picture. Raises OSError for a damaged one."""
    try:
        picture.load()
    except RuntimeError as error:
        # libheif's error, as pillow-heif passes it on.
        raise OSError(str(error)) from error
