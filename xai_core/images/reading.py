"""Untrusted bytes to an upright, opaque RGB picture without metadata."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

# All six plugins by name, so that Pillow never goes looking for others.
from PIL import (  # noqa: F401
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)
from PIL.ExifTags import Base as ExifTag
from PIL.ImageFile import ImageFile

from xai_core.errors import InvalidImage
from xai_core.images.colour import flatten_on_white, to_simple_mode, to_srgb
from xai_core.images.decode_lock import exclusive_decode
from xai_core.images.headers import (
    SIGNATURES,
    UNSUPPORTED,
    check_directory,
    check_scans,
    declared_size,
    find_signature,
    strip_png,
)
from xai_core.images.limits import ALLOWED, BROKEN, MAX_BYTES, MAX_READS, TOO_LARGE, TOO_MANY, check_size, too_heavy

Picture = Image.Image

# Longest side that is kept, in pixels: more than any model here looks at.
KEEP_SIDE = 1024
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_TILE_TAGS = (322, 323)
# EXIF orientation to the transpose that undoes it.
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


# Pillow's remarks on strangers' files are nobody's to read. Set once, because filters are shared by all threads.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)


def read_image(source: str | os.PathLike[str] | bytes | BinaryIO) -> Picture:
    """Return an upright RGB picture without metadata, longest side at most 1024 px, from a path, bytes or a file.

    Size limits are checked on the header, before anything is decoded.

    Raises:
        InvalidImage: with a sentence for the visitor.

    >>> png = BytesIO()
    >>> Image.new("RGBA", (20, 10)).save(png, "PNG")
    >>> read_image(png.getvalue()).mode
    'RGB'
    """
    data = _read_bytes(source)
    if not data:
        raise InvalidImage(f"This file is empty (0 bytes). Choose another one. {ALLOWED}")
    with _explain_damage(data):
        if declared := declared_size(data):
            check_size(*declared)
        check_directory(data)
        picture = _open(strip_png(data))
        check_size(*picture.size)
        if picture.format in ("JPEG", "MPO"):
            check_scans(data, *picture.size)
        return _decode(picture)


def image_sha256(image: Picture) -> str:
    """Return the hex SHA-256 of size and RGB pixels: equal pictures have equal hashes, whatever file they came from.

    >>> image_sha256(Image.new("RGB", (8, 8)))[:8]
    'd789cdc5'
    """
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    return hashlib.sha256(f"{rgb.width}x{rgb.height}:".encode() + rgb.tobytes()).hexdigest()


def _read_bytes(source: object) -> bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        if memoryview(source).nbytes > MAX_BYTES:
            raise too_heavy(memoryview(source).nbytes)
        return bytes(source)
    if isinstance(source, (str, os.PathLike)):
        return _read_file(Path(os.fsdecode(source)))
    if callable(getattr(source, "read", None)):
        return _read_stream(source)  # type: ignore[arg-type]
    raise InvalidImage(f"A picture is given as a file name, as bytes or as an open file. Got {type(source).__name__}.")


def _read_file(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InvalidImage(
                f"This is a folder, not a picture: {path.name[:80]!r}. Choose one picture file in it. {ALLOWED}"
            )
        if not path.is_file():
            raise InvalidImage(
                f"There is no picture file called {path.name[:80]!r} there. Check the name and the folder."
            )
        if (size := path.stat().st_size) > MAX_BYTES:
            raise too_heavy(size)
        with path.open("rb") as stream:
            return _read_stream(stream)
    except (OSError, ValueError) as error:
        raise InvalidImage(
            f"The file {path.name[:80]!r} could not be opened. Check the name and that you may read it."
        ) from error


def _read_stream(stream: BinaryIO) -> bytes:
    """Return at most MAX_BYTES from the start of a stream: an upload is read again each time its page is drawn."""
    parts: list[bytes] = []
    left = MAX_BYTES + 1
    try:
        if stream.seekable():
            stream.seek(0)
        while left > 0 and (part := stream.read(left)):
            parts.append(part)
            left -= len(part)
        data = b"".join(parts)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InvalidImage(
            "The file could not be read to its end. Open it in binary mode, or choose it once more."
        ) from error
    if len(data) > MAX_BYTES:
        raise too_heavy(None)
    return data


@contextmanager
def _explain_damage(data: bytes) -> Iterator[None]:
    """Turn exceptions of a decoder into an InvalidImage that a visitor understands."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidImage(TOO_LARGE) from error
    except MemoryError as error:
        raise InvalidImage(
            "This picture needs more memory than this computer has free. Save it smaller and try again."
        ) from error
    except BROKEN as error:
        if kind := find_signature(data, SIGNATURES):
            raise InvalidImage(
                f"This {kind} picture is damaged or was cut off, so it cannot be read to its end. "
                "Save or download it once more, or choose another one."
            ) from error
        kind = find_signature(data.lstrip(b"\xef\xbb\xbf \r\n\t"), UNSUPPORTED)
        looks = f" This file looks like a {kind}." if kind else ""
        raise InvalidImage(f"This file is not a picture that can be read here.{looks} {ALLOWED}") from error


class _BoundedBytes(BytesIO):
    """Bytes for Pillow that give up after MAX_READS calls: some formats are read byte by byte in Python."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS:
            raise InvalidImage(TOO_MANY)
        return super().read(size)


def _open(data: bytes) -> ImageFile:
    try:
        return Image.open(_BoundedBytes(data), formats=_FORMATS)
    except UnidentifiedImageError:
        # Pillow 13 gives a JPEG up over an odd resolution in its EXIF.
        if data[:3] == b"\xff\xd8\xff" and b"Exif\0\0" in data:
            return Image.open(_BoundedBytes(data.replace(b"Exif\0\0", bytes(6), 1)), formats=_FORMATS)
        raise


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, KEEP_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrink(image: Picture, size: tuple[int, int]) -> Picture:
    """Return the picture at a smaller size by Lanczos' filter; itself where it has that size.

    Stored results are filed under a hash of these bytes, so they stay Pillow's to the last bit. Pillow premultiplies
    transparency, and reduces a far larger picture by a whole factor first, for memory.
    """
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _decode(picture: ImageFile) -> Picture:
    full_size = picture.size
    # A JPEG is decoded at a half, quarter or eighth where that is enough.
    picture.draft(None, _fit(full_size))
    _check_tiles(picture)
    # Of a progressive JPEG all scans are held in full.
    with exclusive_decode(full_size if "progressive" in picture.info else picture.size):
        picture.load()
        # After load: a TIFF has turned itself by now, a PNG may keep its EXIF behind the pixels.
        orientation = _read_orientation(picture)
        size = _fit(picture.size)
        flat = flatten_on_white(shrink(to_simple_mode(picture, size), size))
        # Closed now, and not when this function ends: the next large picture waits for the memory.
        if flat is not picture:
            picture.close()
    upright = to_srgb(flat, picture.info.get("icc_profile"))
    if orientation in _TRANSPOSES:
        upright = upright.transpose(_TRANSPOSES[orientation])
    # A new image: comments, EXIF with its place and date, and profiles stay behind.
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    return clean


def _check_tiles(picture: ImageFile) -> None:
    """Refuse a small TIFF that is cut into tiles far larger than itself, which the decoder would hold in memory."""
    tags = getattr(picture, "tag_v2", {})
    sides = [value for tag in _TILE_TAGS if isinstance(value := tags.get(tag), int)]
    if math.prod(sides) > max(2048 * 2048, 4 * picture.width * picture.height):
        raise ValueError("tiles larger than any allowed picture")


def _read_orientation(picture: ImageFile) -> int:
    try:
        check_directory(picture.info.get("exif", b"").removeprefix(b"Exif\0\0"))
        return int(picture.getexif().get(ExifTag.Orientation, 1))
    except (InvalidImage, *BROKEN):
        # Unreadable EXIF: the picture itself is fine.
        return 1
