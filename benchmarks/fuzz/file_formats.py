"""Picture files written byte by byte, for contents that no encoder would write.

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


def build_png(size: tuple[int, int], rows: bytes, *chunks: bytes, colour: int = 2, interlaced: int = 0) -> bytes:
    """Build a PNG of 8 bits a channel from compressed `rows` and `chunks` between header and pixels."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, colour, 0, 0, interlaced))
    return PNG_START + head + b"".join(chunks) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def add_png_chunks(data: bytes, *chunks: bytes) -> bytes:
    """Add chunks behind the header of a PNG."""
    return data[:33] + b"".join(chunks) + data[33:]


@dataclass(frozen=True)
class Entry:
    """One tag of a TIFF directory: its value as bytes, or a file offset that is stated to hold `count` values."""

    tag: int
    kind: int
    count: int
    value: bytes = b""
    place: int | None = None


def long_entry(tag: int, *values: int) -> Entry:
    """A tag of 32-bit numbers."""
    return Entry(tag, 4, len(values), struct.pack(f"<{len(values)}I", *values))


def short_entry(tag: int, *values: int) -> Entry:
    """A tag of 16-bit numbers."""
    return Entry(tag, 3, len(values), struct.pack(f"<{len(values)}H", *values))


def build_tiff(entries: Sequence[Entry], body: bytes = b"", following: int = 0) -> bytes:
    """Build a little-endian TIFF: `body` at offset 8, then long values, then the directory.

    `following` is the stated offset of the next directory.
    """
    values, rows = bytearray(body), []
    for entry in sorted(entries, key=lambda item: item.tag):
        place, value = entry.place, entry.value
        if place is None and len(value) > 4:
            place = 8 + len(values)
            values += value + bytes(len(value) % 2)
        last = value.ljust(4, b"\0") if place is None else struct.pack("<I", place)
        rows.append(struct.pack("<HHI", entry.tag, entry.kind, entry.count) + last)
    directory = struct.pack("<H", len(rows) & 0xFFFF) + b"".join(rows) + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8 + len(values)) + bytes(values) + directory


def tiff_entries(
    size: tuple[int, int], *more: Entry, compression: int = 1, channels: int = 1, bits: int = 8
) -> list[Entry]:
    """Tags of every TIFF and those of its strips or tiles; an entry of `more` replaces the usual one."""
    usual = [
        long_entry(256, size[0]), long_entry(257, size[1]), short_entry(258, *[bits] * channels),
        short_entry(259, compression),        short_entry(262, 2 if channels >= 3 else 1), short_entry(277, channels),
    ]  # fmt: skip
    given = {entry.tag for entry in more}
    return [entry for entry in usual if entry.tag not in given] + list(more)


def build_webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """Build a RIFF file of these chunks."""
    inner = b"WEBP" + b"".join(
        name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2) for name, body in chunks
    )
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


def webp_canvas(size: tuple[int, int], flags: int = 0) -> tuple[bytes, bytes]:
    """The chunk that states the size of an extended WebP."""
    return b"VP8X", bytes([flags, 0, 0, 0]) + (size[0] - 1).to_bytes(3, "little") + (size[1] - 1).to_bytes(3, "little")


def build_gif(screen: tuple[int, int], *blocks: bytes) -> bytes:
    """Build a GIF89a with a grey palette."""
    palette = bytes(value for level in range(256) for value in (level, 255 - level, level))
    return b"GIF89a" + struct.pack("<HHBBB", *screen, 0xF7, 0, 0) + palette + b"".join(blocks) + b";"


def gif_frame(
    size: tuple[int, int], at: tuple[int, int] = (0, 0), dispose: int = 0, pixels: bytes = b"\x02\x00\x01"
) -> bytes:
    """A frame with its control block; `pixels` are LZW codes, one sub-block or none."""
    control = b"!\xf9\x04" + bytes([dispose << 2, 0, 0, 0, 0])
    return control + b"," + struct.pack("<HHHHB", *at, *size, 0) + b"\x08" + pixels + b"\0"


def set_box_size(data: bytes, size: tuple[int, int]) -> bytes:
    """State another size for all items of an HEIC or AVIF."""
    parts = data.split(b"ispe\0\0\0\0")
    return parts[0] + b"".join(b"ispe\0\0\0\0" + struct.pack(">II", *size) + part[8:] for part in parts[1:])


def build_bmp(size: tuple[int, int], pixels: bytes, bits: int = 24, compression: int = 0, planes: int = 1) -> bytes:
    """Build a BMP with the header of Windows 3 and, for 8 bits, a palette."""
    palette = bytes(value for level in range(256) for value in (level, 255 - level, level, 0)) if bits == 8 else b""
    head = struct.pack("<IiiHHIIiiII", 40, *size, planes, bits, compression, len(pixels), 0, 0, 0, 0)
    start = 54 + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + head + palette + pixels


def jpeg_segment(marker: int, body: bytes) -> bytes:
    """One segment, of at most 65,533 bytes."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def add_jpeg_segments(data: bytes, *segments: bytes) -> bytes:
    """Add segments behind the first two bytes of a JPEG."""
    return data[:2] + b"".join(segments) + data[2:]


def set_jpeg_size(data: bytes, size: tuple[int, int]) -> bytes:
    """State another size in the frame header of a JPEG (the last one: a thumbnail's comes earlier)."""
    at = max(data.rfind(b"\xff\xc0"), data.rfind(b"\xff\xc2")) + 5
    return data[:at] + struct.pack(">HH", size[1], size[0]) + data[at + 4 :]


def exif_block(entries: Sequence[Entry], following: int = 0) -> bytes:
    """EXIF as stored in a PNG or WebP; a JPEG needs b"Exif\\0\\0" before it."""
    return build_tiff(entries, following=following)


def add_exif(kind: str, data: bytes, block: bytes) -> bytes:
    """Add EXIF to a JPEG (in as many segments as needed), PNG or plain WebP."""
    if kind == "JPEG":
        parts = [block[at : at + 65_000] for at in range(0, len(block), 65_000)]
        return add_jpeg_segments(data, *(jpeg_segment(0xE1, b"Exif\0\0" + part) for part in parts))
    if kind == "PNG":
        return add_png_chunks(data, png_chunk(b"eXIf", block))
    return add_webp_chunks(data, (b"EXIF", block))


def add_webp_chunks(data: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Add chunks of metadata around the pixels of a plain WebP."""
    kind, pixels = data[12:16], data[20 : 20 + int.from_bytes(data[16:20], "little")]
    size = _read_webp_size(kind, pixels)
    flags = sum({b"ICCP": 32, b"EXIF": 8, b"XMP ": 4}.get(name, 0) for name, _ in chunks) | (
        16 if kind == b"VP8L" else 0
    )
    before = [chunk for chunk in chunks if chunk[0] == b"ICCP"]
    behind = [chunk for chunk in chunks if chunk[0] != b"ICCP"]
    return build_webp(webp_canvas(size, flags), *before, (kind, pixels), *behind)


def _read_webp_size(kind: bytes, pixels: bytes) -> tuple[int, int]:
    if kind == b"VP8L":
        word = int.from_bytes(pixels[1:5], "little")
        return (word & 0x3FFF) + 1, (word >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", pixels[6:10])
    return width & 0x3FFF, height & 0x3FFF
