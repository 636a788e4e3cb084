"""Facts that the headers of untrusted picture files state, read before a decoder allocates anything."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from xai_core.errors import InvalidImage
from xai_core.images.limits import MAX_PIECES, MAX_SCANNED, MAX_STRIPS, MAX_TAGS, TOO_MANY

# Rows of (offset, bytes at that offset, name of the format).
Signatures = tuple[tuple[int, bytes, str], ...]

SIGNATURES: Signatures = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG", "PNG"),
    (8, b"WEBP", "WebP"),
    (0, b"BM", "BMP"),
    (0, b"GIF8", "GIF"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
)
UNSUPPORTED: Signatures = (
    (0, b"%PDF", "PDF document"),
    (4, b"ftyp", "video"),
    (0, b"<svg", "drawing (SVG)"),
    (0, b"<", "web page or a drawing (SVG)"),
    (0, b"PK\x03\x04", "ZIP archive or a document"),
)
PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = frozenset(b"IHDR PLTE tRNS iCCP eXIf IDAT IEND".split())
# Text chunks that may tell which way is up.
_PNG_ORIENTATION = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
_JPEG_SCAN = re.compile(rb"\xff\xda\0[\x06\x08\x0a\x0c][\x01-\x04]")
_STRIP_TAGS = (273, 324)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset(b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1".split())
# Bytes at the start of an HEIF or AVIF in which its brands lie.
_BRAND_BYTES = 512

# Endings of the names of files that are read: the one list for uploads, zips, folders and the command line.
READABLE_SUFFIXES: tuple[str, ...] = tuple(
    ".jpg .jpeg .jpe .jfif .heic .heif .avif .png .webp .bmp .dib .gif .tif .tiff".split()
)


def find_signature(data: bytes, signatures: Signatures) -> str | None:
    """Return the name of the first signature that the bytes begin with."""
    return next((name for at, start, name in signatures if data[at : at + len(start)] == start), None)


def find_format(data: bytes) -> str | None:
    """Return the name of the format that the bytes begin like, None for one that is not read."""
    if data[4:8] != b"ftyp":
        return find_signature(data, SIGNATURES)
    end = min(int.from_bytes(data[:4], "big"), _BRAND_BYTES)
    # The major brand, its version, then the compatible ones.
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
    if data[8:12] in _HEIF_BRANDS - {b"mif1", b"mif2", b"msf1"} or not brands & _AVIF_BRANDS:
        return "HEIC" if brands & _HEIF_BRANDS else None
    return "AVIF"


def declared_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) for formats whose Pillow plugin allocates before it tells the size, else None."""
    head = data[:30].ljust(30, b"\0")
    size: tuple[int, int] | None = None
    if head[:4] == b"\x89PNG":
        size = struct.unpack(">II", head[16:24])
    elif head[:4] == b"GIF8":
        size = _gif_size(data)
    elif head[8:16] == b"WEBPVP8X":
        size = 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    elif head[8:16] == b"WEBPVP8L":
        # Lossless: both sides less one, in 14 bits each.
        bits = int.from_bytes(head[21:25], "little")
        size = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif head[8:16] == b"WEBPVP8 ":
        # Lossy: the upper two bits of each side are a scale.
        width, height = struct.unpack("<HH", head[26:30])
        size = width & 0x3FFF, height & 0x3FFF
    # A zero is not a small picture but a broken one: left to Pillow.
    return size if size and min(size) > 0 else None


def _gif_size(data: bytes) -> tuple[int, int]:
    """Return the size of screen and first frame together: a frame beyond the screen enlarges the picture."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    # Skip the header and, where there is one, the color table of the screen.
    at, in_extension = 13 + (6 << (flags & 7) if flags & 128 else 0), False
    for _ in range(MAX_PIECES):
        byte = data[at : at + 1]
        if in_extension:
            # Blocks of an extension: each tells its length, the last one is 0.
            at, in_extension = at + 1 + int.from_bytes(byte, "big"), byte not in (b"", b"\0")
        elif byte == b",":
            left, top, frame_width, frame_height = struct.unpack_from("<HHHH", data, at + 1)
            return max(width, left + frame_width), max(height, top + frame_height)
        elif byte in (b"", b";"):
            return width, height
        else:
            at, in_extension = at + 1 + (byte == b"!"), byte == b"!"
    raise InvalidImage(TOO_MANY)


def iter_png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of the chunks of a PNG; the last, damaged one has the kind b"". Raises InvalidImage."""
    at = 8
    for _ in range(MAX_PIECES):
        # A chunk has length, kind, data and checksum: 12 bytes more than its data.
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if not kind.isalpha():
            yield b"", at, len(data)
            return
        yield kind, at, end
        at = end
    raise InvalidImage(TOO_MANY)


def strip_png(data: bytes) -> bytes:
    """Return a PNG without comments (which may unpack to far more than the picture) and later frames."""
    if data[:8] != PNG_START:
        return data
    view = memoryview(data)
    parts = [
        view[start:end]
        for kind, start, end in iter_png_chunks(data)
        # No kind: damage that Pillow shall see.
        if not kind or kind in _PNG_CHUNKS or data.startswith(_PNG_ORIENTATION, start + 8)
    ]
    return b"".join([PNG_START, *parts])


def read_png_chunk(data: bytes, name: bytes) -> bytes | None:
    """Return the body of the first chunk of this kind before the pixels of a PNG, None where there is none."""
    if data[:8] != PNG_START:
        return None
    for kind, start, end in iter_png_chunks(data):
        if kind == name:
            return data[start + 8 : end - 4]
        if kind in (b"IDAT", b""):
            break
    return None


def check_directory(data: bytes) -> None:
    """Raise InvalidImage for a TIFF, or EXIF, with more tags or strips than Pillow can go through in time."""
    if find_signature(data, SIGNATURES) != "TIFF":
        return
    order, is_big = "<" if data[:1] == b"I" else ">", 43 in data[2:4]
    offset, number, entry, start_at, first = ("Q", "Q", "HHQ8x", 8, 8) if is_big else ("I", "H", "HHI4x", 4, 2)
    start = struct.unpack_from(order + offset, data, start_at)[0]
    count = struct.unpack_from(order + number, data, start)[0]
    entries = data[start + first :][: min(count, MAX_TAGS) * struct.calcsize("=" + entry)]
    strips = (values for tag, _, values in struct.iter_unpack(order + entry, entries) if tag in _STRIP_TAGS)
    if count > MAX_TAGS or max(strips, default=0) > MAX_STRIPS:
        raise InvalidImage(TOO_MANY)


def check_scans(data: bytes, width: int, height: int) -> None:
    """Raise InvalidImage for a JPEG whose scans would decode more than MAX_SCANNED pixels."""
    if len(_JPEG_SCAN.findall(data)) * width * height > MAX_SCANNED:
        raise InvalidImage(TOO_MANY)
