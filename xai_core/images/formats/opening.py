"""Opening of picture files by Pillow: seven formats, and no more calls of `read` than a sound file needs."""

from __future__ import annotations

from io import BytesIO

# All plugins by name, so that Pillow never goes looking for others.
from PIL import (  # noqa: F401
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)
from PIL.ImageFile import ImageFile as OpenedFile

from xai_core.errors import InvalidImage
from xai_core.images.formats.headers import find_format, strip_png
from xai_core.images.limits import MAX_READS, TOO_MANY

__all__ = ["OpenedFile", "open_with_pillow"]

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")


class _BoundedBytes(BytesIO):
    """Bytes for Pillow that give up after MAX_READS calls: some formats are read byte by byte in Python."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS:
            raise InvalidImage(TOO_MANY)
        return super().read(size)


def open_with_pillow(data: bytes) -> OpenedFile:
    """Return the opened file, nothing of it decoded. Raises UnidentifiedImageError, and InvalidImage for a drip."""
    sound = _drop_tail(strip_png(data))
    try:
        return Image.open(_BoundedBytes(sound), formats=_FORMATS)
    except UnidentifiedImageError:
        # Pillow 13 gives a JPEG up over an odd resolution in its EXIF.
        if data[:3] == b"\xff\xd8\xff" and b"Exif\0\0" in data:
            return Image.open(_BoundedBytes(data.replace(b"Exif\0\0", bytes(6), 1)), formats=_FORMATS)
        raise


def _drop_tail(data: bytes) -> bytes:
    """Return a WebP without bytes behind it, which its decoder minds; other formats as they are."""
    return data[: 8 + int.from_bytes(data[4:8], "little")] if find_format(data) == "WebP" else data
