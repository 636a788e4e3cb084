"""Pictures: untrusted bytes -> a safe RGB picture, sample pictures, and the baselines that stand for "nothing to see".

Reading follows the file formats' own headers (PNG, GIF, WebP) and Pillow's documentation; baselines follow Sturmfels, Lundberg
and Lee, "Visualizing the Impact of Feature Attribution Baselines" (Distill 2020, doi:10.23915/distill.00022).
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

# All six plugins by name, so that Pillow never goes looking for others.
from PIL import (  # noqa: F401
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)
from PIL.ExifTags import Base as ExifTag
from PIL.ImageFile import ImageFile
from scipy.ndimage import gaussian_filter

from xai_core._resize import shrunk
from xai_core._samples import Sample, samples
from xai_core._unpacking import unpacking
from xai_core.errors import InvalidImage, UnknownName

__all__ = ["BASELINES", "SAMPLES", "Picture", "Sample", "image_sha256", "make_baseline", "read_image"]

Picture = Image.Image
Floats = npt.NDArray[np.float32]

MAX_BYTES, MAX_PIXELS, MIN_SIDE, MAX_RATIO = 25 * 1024 * 1024, 50_000_000, 8, 40
KEEP_SIDE = 1024
"""Longest side that is kept: more than any model here looks at."""
MAX_PIECES, MAX_READS, MAX_STRIPS, MAX_TAGS, MAX_SCANNED = 100_000, 300_000, 20_000, 1_000, 12 * MAX_PIXELS
"""Chunks or blocks, reads by Pillow, strips and tags of a TIFF, pixels times scans of a JPEG: with more, small files take many seconds."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_ALLOWED = "A JPEG, PNG, WebP, BMP, GIF or TIFF picture of up to 25 MB is fine."
_STARTS = (
    (0, b"\xff\xd8\xff", "JPEG"), (0, b"\x89PNG", "PNG"), (8, b"WEBP", "WebP"), (0, b"BM", "BMP"), (0, b"GIF8", "GIF"),
    (0, b"II*\0", "TIFF"), (0, b"MM\0*", "TIFF"), (0, b"II+\0", "TIFF"), (0, b"MM\0+", "TIFF"),
)  # fmt: skip
_OTHERS = (
    (4, b"ftyphei", "HEIC photo, as iPhones take them (share it as JPEG)"), (4, b"ftypmif1", "HEIC photo (share it as JPEG)"),
    (4, b"ftypavif", "AVIF picture (save it as JPEG or PNG)"), (0, b"%PDF", "PDF document"), (4, b"ftyp", "video"),
    (0, b"<svg", "drawing (SVG)"), (0, b"<", "web page or a drawing (SVG)"), (0, b"PK\x03\x04", "ZIP archive or a document"),
)  # fmt: skip
_TOO_LARGE = "This picture has too many pixels: at most 50 million are allowed. Save it smaller and try again."
_TOO_MANY = "This picture is made of so many small pieces that reading it would take too long. Save it once more as JPEG or PNG."
BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError, struct.error, zlib.error)
"""What decoders raise on damage: the first three were seen on mutated pictures (tests/images/test_images_refused.py), the rest is precaution."""
_PNG_NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"IDAT", b"IEND")
_PNG_ORIENTED = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")  # texts that may tell which way is up
_SCAN = re.compile(rb"\xff\xda\0[\x06\x08\x0a\x0c][\x01-\x04]")
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip


# What Pillow remarks on strangers' files is nobody's to read. Set once, because filters are shared by all threads.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)


def read_image(source: str | os.PathLike[str] | bytes | BinaryIO) -> Picture:
    """An upright RGB picture without metadata, longest side at most 1024 px, from a path, bytes or an open file.

    Raises InvalidImage with a sentence for the visitor; size limits are checked on the header, before anything is decoded.
    """
    data = _bytes_of(source)
    if not data:
        raise InvalidImage(f"This file is empty (0 bytes). Choose another one. {_ALLOWED}")
    with _plain_words(data):
        if declared := _declared_size(data):
            _check_size(*declared)
        _check_directory(data)
        picture = _opened(_png_needed(data))
        _check_size(*picture.size)
        _check_scans(picture, data)
        return _decoded(picture)


def image_sha256(image: Picture) -> str:
    """Hex SHA-256 of the size and the RGB pixels: equal pictures have equal hashes, whatever file they came from."""
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    return hashlib.sha256(f"{rgb.width}x{rgb.height}:".encode() + rgb.tobytes()).hexdigest()


def _bytes_of(source: object) -> bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        if memoryview(source).nbytes > MAX_BYTES:
            raise _too_heavy(memoryview(source).nbytes)
        return bytes(source)
    if isinstance(source, (str, os.PathLike)):
        return _file_bytes(Path(os.fsdecode(source)))
    if callable(getattr(source, "read", None)):
        return _stream_bytes(source)  # type: ignore[arg-type]
    raise InvalidImage(f"A picture is given as a file name, as bytes or as an open file. Got {type(source).__name__}.")


def _file_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InvalidImage(
                f"This is a folder, not a picture: {path.name[:80]!r}. Choose one picture file in it. {_ALLOWED}"
            )
        if not path.is_file():
            raise InvalidImage(
                f"There is no picture file called {path.name[:80]!r} there. Check the name and the folder."
            )
        if (size := path.stat().st_size) > MAX_BYTES:
            raise _too_heavy(size)
        with path.open("rb") as stream:
            return _stream_bytes(stream)
    except (OSError, ValueError) as error:
        raise InvalidImage(
            f"The file {path.name[:80]!r} could not be opened. Check the name and that you may read it."
        ) from error


def _stream_bytes(stream: BinaryIO) -> bytes:
    """At most 25 MB and one byte; from the start, because an uploaded file is read again each time its page is drawn."""
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
        raise _too_heavy(None)
    return data


def _too_heavy(size: int | None) -> InvalidImage:
    got = f" Got {size / 2**20:.1f} MB." if size else ""
    return InvalidImage(
        f"This file is larger than 25 MB, which is the most allowed. Save the picture smaller and try again.{got}"
    )


def _declared_size(data: bytes) -> tuple[int, int] | None:
    """Width and height by the header of formats whose Pillow plugin allocates or unpacks before it tells the size."""
    head = data[:30].ljust(30, b"\0")
    size: tuple[int, int] | None = None
    if head[:4] == b"\x89PNG":
        size = struct.unpack(">II", head[16:24])
    elif head[:4] == b"GIF8":
        size = _gif_size(data)
    elif head[8:16] == b"WEBPVP8X":
        size = 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    elif head[8:16] == b"WEBPVP8L":
        bits = int.from_bytes(head[21:25], "little")
        size = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif head[8:16] == b"WEBPVP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        size = width & 0x3FFF, height & 0x3FFF
    return size if size and min(size) > 0 else None  # a zero is not a small picture but a broken one: left to Pillow


def _gif_size(data: bytes) -> tuple[int, int]:
    """Screen and first frame together: a frame beyond the screen enlarges it, and Pillow may fill it before it tells."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at, inside = 13 + (6 << (flags & 7) if flags & 128 else 0), False
    for _ in range(MAX_PIECES):
        byte = data[at : at + 1]
        if inside:  # the blocks of an extension: each tells its length, the last one is 0
            at, inside = at + 1 + int.from_bytes(byte, "big"), byte not in (b"", b"\0")
        elif byte == b",":
            left, top, wide, high = struct.unpack_from("<HHHH", data, at + 1)
            return max(width, left + wide), max(height, top + high)
        elif byte in (b"", b";"):
            return width, height
        else:
            at, inside = at + 1 + (byte == b"!"), byte == b"!"
    raise InvalidImage(_TOO_MANY)


def _png_needed(data: bytes) -> bytes:
    """A PNG without comments (which may unpack to far more than the picture) and without the frames after the first."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return data
    parts, at = [(view := memoryview(data))[:8]], 8
    for _ in range(MAX_PIECES):
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if not kind.isalpha():  # the end, or damage: Pillow shall see it
            return b"".join([*parts, view[at:]])
        if kind in _PNG_NEEDED or data.startswith(_PNG_ORIENTED, at + 8):
            parts.append(view[at:end])
        at = end
    raise InvalidImage(_TOO_MANY)


def _check_directory(data: bytes) -> None:
    """Refuses a TIFF, or EXIF, by the numbers of its tags and strips, which Pillow goes through one by one as it opens it."""
    if _starting(data, _STARTS) != "TIFF":
        return
    order, big = "<" if data[:1] == b"I" else ">", data[2] == 43
    place, number, entry, wide, first = ("Q", "Q", "HHQ8x", 8, 8) if big else ("I", "H", "HHI4x", 4, 2)
    start = struct.unpack_from(order + place, data, wide)[0]
    count = struct.unpack_from(order + number, data, start)[0]
    entries = data[start + first :][: min(count, MAX_TAGS) * struct.calcsize("=" + entry)]
    strips = (values for tag, _, values in struct.iter_unpack(order + entry, entries) if tag in (273, 324))
    if count > MAX_TAGS or max(strips, default=0) > MAX_STRIPS:
        raise InvalidImage(_TOO_MANY)


def _check_scans(picture: ImageFile, data: bytes) -> None:
    if picture.format in ("JPEG", "MPO") and len(_SCAN.findall(data)) * picture.width * picture.height > MAX_SCANNED:
        raise InvalidImage(_TOO_MANY)


def _check_size(width: int, height: int) -> None:
    got = f"Got {width:,} × {height:,} pixels."
    if width * height > MAX_PIXELS:
        raise InvalidImage(f"{_TOO_LARGE} {got}")
    if min(width, height) < MIN_SIDE:
        raise InvalidImage(
            f"This picture is too small: each side must be at least {MIN_SIDE} pixels. Choose a larger one. {got}"
        )
    if max(width, height) > MAX_RATIO * min(width, height):
        raise InvalidImage(
            f"This picture is too long and thin: the long side may be at most {MAX_RATIO} times the short one. "
            f"Cut out the part you care about and try again. {got}"
        )


def _starting(data: bytes, starts: tuple[tuple[int, bytes, str], ...]) -> str | None:
    return next((name for at, start, name in starts if data[at : at + len(start)] == start), None)


@contextmanager
def _plain_words(data: bytes) -> Iterator[None]:
    """Turns what a decoder raises into an InvalidImage a visitor understands."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidImage(_TOO_LARGE) from error
    except MemoryError as error:
        raise InvalidImage(
            "This picture needs more memory than this computer has free. Save it smaller and try again."
        ) from error
    except BROKEN as error:
        if kind := _starting(data, _STARTS):
            raise InvalidImage(
                f"This {kind} picture is damaged or was cut off, so it cannot be read to its end. "
                "Save or download it once more, or choose another one."
            ) from error
        other = _starting(data.lstrip(b"\xef\xbb\xbf \r\n\t"), _OTHERS)
        looks = f" This file looks like a {other}." if other else ""
        raise InvalidImage(f"This file is not a picture that can be read here.{looks} {_ALLOWED}") from error


class _Bounded(BytesIO):
    """The bytes for Pillow, which goes through some formats byte by byte in Python: a file that keeps it at that is given up."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS:
            raise InvalidImage(_TOO_MANY)
        return super().read(size)


def _opened(data: bytes) -> ImageFile:
    try:
        return Image.open(_Bounded(data), formats=_FORMATS)
    except UnidentifiedImageError:
        # Pillow 13 gives a JPEG up over an odd resolution in its EXIF.
        if data[:3] == b"\xff\xd8\xff" and b"Exif\0\0" in data:
            return Image.open(_Bounded(data.replace(b"Exif\0\0", bytes(6), 1)), formats=_FORMATS)
        raise


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, KEEP_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _decoded(picture: ImageFile) -> Picture:
    whole = picture.size
    picture.draft(None, _fit(whole))  # a JPEG is decoded at a half, quarter or eighth where that is enough
    _check_tiles(picture)
    # Of a progressive one all scans are held in full.
    with unpacking(whole if "progressive" in picture.info else picture.size):
        picture.load()
        # After load: a TIFF has turned itself by now, a PNG may keep its EXIF behind the pixels.
        turn = _orientation(picture)
        flat = _on_white(shrunk(_simple_mode(picture), _fit(picture.size)))
        if flat is not picture:
            picture.close()  # now, and not when this function ends: the next one is waiting for the room
    upright = _in_srgb(flat, picture.info.get("icc_profile"))
    if turn in _TURNS:
        upright = upright.transpose(_TURNS[turn])
    clean = Image.new("RGB", upright.size)  # a new image: comments, EXIF with its place and date, profiles stay behind
    clean.paste(upright)
    return clean


def _check_tiles(picture: ImageFile) -> None:
    """A small TIFF may be cut into tiles far larger than itself, each of which the decoder holds in memory."""
    tags = getattr(picture, "tag_v2", {})
    sides = [value for tag in (322, 323) if isinstance(value := tags.get(tag), int)]
    if math.prod(sides) > max(2048 * 2048, 4 * picture.width * picture.height):
        raise ValueError("tiles larger than any allowed picture")


def _orientation(picture: ImageFile) -> int:
    try:
        _check_directory(picture.info.get("exif", b"").removeprefix(b"Exif\0\0"))
        return int(picture.getexif().get(ExifTag.Orientation, 1))
    except (InvalidImage, *BROKEN):
        return 1  # unreadable EXIF: the picture itself is fine


def _simple_mode(picture: Picture) -> Picture:
    """The picture as L, RGB, CMYK or RGBA, 8 bits a channel."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _eight_bit(picture)
    if picture.has_transparency_data:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _eight_bit(picture: Picture) -> Picture:
    """Grey of 16 or 32 bits as L. Whole numbers and fractions are scaled from the range their format means, else from the range found."""
    # Shrunk by plain averages first, for memory: a sharper filter would overshoot the range that is looked for next.
    small = picture.resize(_fit(picture.size), Image.Resampling.BOX)
    values = np.nan_to_num(np.asarray(small, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    tags = getattr(picture, "tag_v2", {})
    if picture.mode.startswith("I;16"):
        low, high = 0.0, 4095.0 if tags.get(258) == (12,) else 65535.0
    elif low >= 0:
        low, high = (
            0.0,
            next((top for top in ((1.0,) if picture.mode == "F" else ()) + (255.0, 65535.0) if high <= top), high),
        )
    grey = (values - low) * (255.0 / max(high - low, 1e-12))
    if picture.mode.startswith("I;16") and tags.get(262) == 0:
        grey = 255.0 - grey  # a TIFF whose zero is white; Pillow inverts only the 8-bit ones
    return Image.fromarray(np.rint(grey).clip(0, 255).astype(np.uint8))


def _on_white(picture: Picture) -> Picture:
    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white


def _in_srgb(picture: Picture, profile: object) -> Picture:
    """RGB as a screen shows it: an embedded colour profile is applied where it is sound and fits, and ignored otherwise."""
    kinds = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
    if isinstance(profile, bytes) and profile[16:20] == kinds[picture.mode]:
        try:
            source, screen = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            return ImageCms.buildTransform(source, screen, picture.mode, "RGB").apply(picture)
        except (ImageCms.PyCMSError, ImportError, OSError, TypeError, ValueError):
            pass
    return picture.convert("RGB")


BASELINES: Mapping[str, str] = MappingProxyType({
    "black": "black", "grey": "middle grey", "mean": "the picture's own mean colour", "blur": "the picture, strongly blurred",
    "noise": "random noise",
})  # fmt: skip


def make_baseline(pixels: Floats, kind: str, rng: np.random.Generator) -> Floats:
    """A new (H, W, C) float32 picture in 0..1 that stands for "nothing to see" in `pixels`. Raises UnknownName.

    The blur is Gaussian with a tenth of the shorter side as sigma; `rng` is drawn from for noise only.
    """
    if kind == "mean":
        return np.full(pixels.shape, pixels.mean(axis=(0, 1), dtype=np.float64), dtype=np.float32)
    if kind == "blur":
        sigma = min(pixels.shape[:2]) / 10
        return np.asarray(
            gaussian_filter(pixels.astype(np.float32), (sigma, sigma, 0), mode="reflect"), dtype=np.float32
        )
    if kind == "noise":
        return rng.random(pixels.shape, dtype=np.float32)
    if kind in ("black", "grey"):
        return np.full(pixels.shape, 0.0 if kind == "black" else 0.5, dtype=np.float32)
    raise UnknownName.of("baseline", kind, BASELINES)


SAMPLES = samples(read_image)
