"""Pictures and files for the tests of reading: a scene, encoders, PNG and TIFF written by hand."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from xai_core.errors import InvalidImage
from xai_core.images import read_image

Array = npt.NDArray[Any]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow remarks on damaged metadata


def scene(width: int = 64, height: int = 48) -> Array:
    """A smooth colour scene without any symmetry, uint8 (H, W, 3)."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack(
        [x * 255 // (width - 1), y * 255 // (height - 1), (x + 2 * y) * 255 // (width + 2 * height)], axis=2
    ).astype(np.uint8)


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.copy().save(out, kind, **options)  # a copy, because Pillow leaves encoder settings on what it saves
    return out.getvalue()


def rgb() -> Image.Image:
    return Image.fromarray(scene())


def pixels(picture: Image.Image) -> npt.NDArray[np.int64]:
    return np.asarray(picture).astype(np.int64)


def refuse(source: Any) -> str:
    with pytest.raises(InvalidImage) as caught:
        read_image(source)
    text = str(caught.value)
    assert text.endswith((".", ")")) and text[0].isupper() and 20 < len(text) < 300, text
    return text


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG by hand: depth and colour type as in the header, `rows` with their filter bytes."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + b"".join(extra)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def tiff(tags: dict[int, tuple[int, int]], body: bytes = b"") -> bytes:
    """A little-endian TIFF by hand: tag -> (type 3 short or 4 long, value); `body` lies at offset 8."""
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, (kind, value) in sorted(tags.items()))
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"


def exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010F] = "camera"
    return data.tobytes()
