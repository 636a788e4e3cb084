"""Picture files written by hand, byte by byte, so that they can say what no encoder would.

After the formats' own documents: PNG (W3C), GIF89a, TIFF 6.0 and BigTIFF, RIFF/WebP, BMP and JPEG (ITU-T T.81).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

PNG_START = b"\x89PNG\r\n\x1a\n"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(size: tuple[int, int], rows: bytes, *chunks: bytes, colour: int = 2, interlaced: int = 0) -> bytes:
    """A PNG of 8 bits a channel; `rows` is compressed already, `chunks` lie between the header and the pixels."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, colour, 0, 0, interlaced))
    return PNG_START + head + b"".join(chunks) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def png_with(data: bytes, *chunks: bytes) -> bytes:
    """A whole PNG with more chunks behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


@dataclass(frozen=True)
class Entry:
    """One tag of a TIFF directory: its value as bytes, or a place in the file that is said to hold `count` values."""

    tag: int
    kind: int
    count: int
    value: bytes = b""
    place: int | None = None


def longs(tag: int, *values: int) -> Entry:
    """A tag of 32-bit numbers."""
    return Entry(tag, 4, len(values), struct.pack(f"<{len(values)}I", *values))


def shorts(tag: int, *values: int) -> Entry:
    """A tag of 16-bit numbers."""
    return Entry(tag, 3, len(values), struct.pack(f"<{len(values)}H", *values))


def tiff(entries: Sequence[Entry], body: bytes = b"", following: int = 0) -> bytes:
    """A little-endian TIFF: `body` at offset 8, then long values, then the directory; `following` is where the next one
    is said to be.
    """
    kept, rows = bytearray(body), []
    for entry in sorted(entries, key=lambda each: each.tag):
        place, value = entry.place, entry.value
        if place is None and len(value) > 4:
            place = 8 + len(kept)
            kept += value + bytes(len(value) % 2)
        last = value.ljust(4, b"\0") if place is None else struct.pack("<I", place)
        rows.append(struct.pack("<HHI", entry.tag, entry.kind, entry.count) + last)
    directory = struct.pack("<H", len(rows) & 0xFFFF) + b"".join(rows) + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8 + len(kept)) + bytes(kept) + directory


def tiff_of(size: tuple[int, int], *more: Entry, compression: int = 1, channels: int = 1, bits: int = 8) -> list[Entry]:
    """The tags that every TIFF has, to which those of its strips or tiles are added; an entry of `more` takes the place
    of its like.
    """
    usual = [
        longs(256, size[0]), longs(257, size[1]), shorts(258, *[bits] * channels), shorts(259, compression),
        shorts(262, 2 if channels >= 3 else 1), shorts(277, channels),
    ]  # fmt: skip
    given = {entry.tag for entry in more}
    return [entry for entry in usual if entry.tag not in given] + list(more)


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """A RIFF file of these chunks."""
    inner = b"WEBP" + b"".join(
        name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2) for name, body in chunks
    )
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


def webp_canvas(size: tuple[int, int], flags: int = 0) -> tuple[bytes, bytes]:
    """The chunk in which an extended WebP states its size."""
    return b"VP8X", bytes([flags, 0, 0, 0]) + (size[0] - 1).to_bytes(3, "little") + (size[1] - 1).to_bytes(3, "little")


def gif(screen: tuple[int, int], *blocks: bytes) -> bytes:
    """A GIF89a with a grey palette."""
    palette = bytes(value for level in range(256) for value in (level, 255 - level, level))
    return b"GIF89a" + struct.pack("<HHBBB", *screen, 0xF7, 0, 0) + palette + b"".join(blocks) + b";"


def gif_frame(
    size: tuple[int, int], at: tuple[int, int] = (0, 0), dispose: int = 0, pixels: bytes = b"\x02\x00\x01"
) -> bytes:
    """A frame with its control block; `pixels` are LZW codes, one sub-block or none."""
    control = b"!\xf9\x04" + bytes([dispose << 2, 0, 0, 0, 0])
    return control + b"," + struct.pack("<HHHHB", *at, *size, 0) + b"\x08" + pixels + b"\0"


def bmp(size: tuple[int, int], pixels: bytes, bits: int = 24, compression: int = 0, planes: int = 1) -> bytes:
    """A BMP with the header of Windows 3; 8 bits have a palette of their own."""
    palette = bytes(value for level in range(256) for value in (level, 255 - level, level, 0)) if bits == 8 else b""
    head = struct.pack("<IiiHHIIiiII", 40, *size, planes, bits, compression, len(pixels), 0, 0, 0, 0)
    start = 54 + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + head + palette + pixels


def jpeg_segment(marker: int, body: bytes) -> bytes:
    """One segment, of at most 65,533 bytes."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg_with(data: bytes, *segments: bytes) -> bytes:
    """A whole JPEG with more segments behind its first two bytes."""
    return data[:2] + b"".join(segments) + data[2:]


def jpeg_resized(data: bytes, size: tuple[int, int]) -> bytes:
    """A whole JPEG that says to be of another size, in its own frame header (the last one: a thumbnail's comes before
    it).
    """
    at = max(data.rfind(b"\xff\xc0"), data.rfind(b"\xff\xc2")) + 5
    return data[:at] + struct.pack(">HH", size[1], size[0]) + data[at + 4 :]


def exif_block(entries: Sequence[Entry], following: int = 0) -> bytes:
    """EXIF as it lies in a PNG or WebP; a JPEG wants b"Exif\\0\\0" before it."""
    return tiff(entries, following=following)


def with_exif(kind: str, data: bytes, block: bytes) -> bytes:
    """A whole JPEG, PNG or (plain) WebP with this EXIF added; a JPEG gets it in as many segments as it needs."""
    if kind == "JPEG":
        parts = [block[at : at + 65_000] for at in range(0, len(block), 65_000)]
        return jpeg_with(data, *(jpeg_segment(0xE1, b"Exif\0\0" + part) for part in parts))
    if kind == "PNG":
        return png_with(data, png_chunk(b"eXIf", block))
    return webp_with(data, (b"EXIF", block))


def webp_with(data: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A plain WebP (one chunk of pixels) with chunks of metadata around it."""
    kind, pixels = data[12:16], data[20 : 20 + int.from_bytes(data[16:20], "little")]
    size = _webp_size(kind, pixels)
    flags = sum({b"ICCP": 32, b"EXIF": 8, b"XMP ": 4}.get(name, 0) for name, _ in chunks) | (
        16 if kind == b"VP8L" else 0
    )
    before = [chunk for chunk in chunks if chunk[0] == b"ICCP"]
    behind = [chunk for chunk in chunks if chunk[0] != b"ICCP"]
    return webp(webp_canvas(size, flags), *before, (kind, pixels), *behind)


def _webp_size(kind: bytes, pixels: bytes) -> tuple[int, int]:
    if kind == b"VP8L":
        word = int.from_bytes(pixels[1:5], "little")
        return (word & 0x3FFF) + 1, (word >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", pixels[6:10])
    return width & 0x3FFF, height & 0x3FFF
