"""Small files that would grow large or last long: bombs have to be refused at once and cheaply, drips have to end soon.

A bomb states or unpacks to far more than it is; a drip is made of so many tiny pieces that a reader is busy for minutes
with them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np

from benchmarks.fuzz import file_formats as files
from benchmarks.fuzz.damage import Damaged
from benchmarks.fuzz.file_formats import Entry, longs, png_chunk, tiff, tiff_of
from benchmarks.fuzz.sources import encoded

Rng = np.random.Generator
_SIDES = (7_100, 9_000, 12_000, 13_300, 16_000)
"""From just over 50 million pixels on; Pillow itself refuses from 13,378 a side."""


@lru_cache(maxsize=4)
def _packed(size: int) -> bytes:
    """So many zeros, compressed."""
    return zlib.compress(bytes(size))


def _side(rng: Rng, most: int = 16_000) -> int:
    return min(int(rng.choice([*_SIDES, int(rng.integers(7_100, 65_000))])), most)


def _plain(kind: str, variant: int = 0) -> bytes:
    return encoded(kind, variant, "coffee", 0)


def _sized_png(rng: Rng) -> Damaged:
    side, texts = _side(rng, 65_000), [png_chunk(b"zTXt", b"a\0\0" + _packed(1_000_000))] * 60
    return Damaged(files.png((side, side), _packed(20_000_000), *texts, interlaced=int(rng.integers(2))), "refuse")


def _png_texts(_rng: Rng) -> Damaged:
    texts = [png_chunk(b"zTXt", b"k%d\0\0" % number + _packed(1_000_000)) for number in range(60)]
    return Damaged(files.png_with(_plain("PNG"), *texts), "either", _plain("PNG"))


def _png_profile(_rng: Rng) -> Damaged:
    return Damaged(
        files.png_with(_plain("PNG"), png_chunk(b"iCCP", b"p\0\0" + _packed(100_000_000))), "either", _plain("PNG")
    )


def _png_pixels(_rng: Rng) -> Damaged:
    """As small as it says, with a thousand times the pixels behind it."""
    return Damaged(files.png((64, 64), _packed(100_000_000)), "either")


def _gif_screen(rng: Rng) -> Damaged:
    side = _side(rng, 65_000)
    return Damaged(files.gif((side, side), files.gif_frame((side, side), dispose=2)), "refuse")


def _gif_frame(rng: Rng) -> Damaged:
    """The screen is small; the frame on it is not."""
    side = _side(rng, 65_000)
    return Damaged(files.gif((64, 64), files.gif_frame((side, side), dispose=int(rng.choice([0, 2, 3])))), "refuse")


def _gif_corner(rng: Rng) -> Damaged:
    """Screen and frame are small; the frame lies far away."""
    return Damaged(
        files.gif((64, 64), files.gif_frame((64, 64), (_side(rng, 65_000), _side(rng, 65_000)), dispose=2)), "refuse"
    )


def _tiff_size(rng: Rng) -> Damaged:
    side, packed = _side(rng, 65_000), _packed(20_000_000)
    cuts = longs(273, 8), longs(278, side), longs(279, len(packed))
    return Damaged(tiff(tiff_of((side, side), *cuts, compression=int(rng.choice([1, 5, 8]))), packed), "refuse")


def _tiff_tile(rng: Rng) -> Damaged:
    """The picture is small; the tiles it is cut into are not."""
    side, packed = int(rng.choice([3_008, 5_008, 7_008, 16_000, 65_008])), _packed(100_000_000)
    channels, bits = int(rng.choice([1, 3, 4])), int(rng.choice([8, 16]))
    cuts = longs(322, side), longs(323, side), longs(324, 8), longs(325, len(packed))
    return Damaged(tiff(tiff_of((64, 64), *cuts, channels=channels, bits=bits, compression=8), packed), "either")


def _tiff_double_tile(_rng: Rng) -> Damaged:
    """The size of a tile is said twice, so that it is not a plain number."""
    packed = _packed(100_000_000)
    cuts = longs(322, 16_000, 16_000), longs(323, 16_000, 16_000), longs(324, 8), longs(325, len(packed))
    return Damaged(tiff(tiff_of((64, 64), *cuts, compression=8), packed), "either")


def _tiff_strip(rng: Rng) -> Damaged:
    """One strip says to hold more rows than there are, and does."""
    packed = _packed(200_000_000)
    cuts = longs(273, 8), longs(278, int(rng.choice([64, 2**31 - 1, 2**32 - 1]))), longs(279, len(packed))
    return Damaged(tiff(tiff_of((64, 64), *cuts, compression=8), packed), "either")


def _tiff_strips(rng: Rng) -> Damaged:
    """Hundreds of thousands of strips for a picture of 64 rows."""
    count = int(rng.choice([200_000, 400_000]))
    cuts = longs(273, *[8] * count), longs(278, 1), longs(279, *[64] * 4)
    return Damaged(tiff(tiff_of((64, 64), *cuts), bytes(4096)), "either")


def _tiff_tags(_rng: Rng) -> Damaged:
    """Tens of thousands of tags that share one megabyte."""
    strip = longs(273, 8), longs(278, 64), longs(279, 4096)
    shared = (
        Entry(tag, 7, 1_000_000, place=8) for tag in range(0x8000, 0x8000 + 30_000) if tag not in (0x8769, 0x8825)
    )
    return Damaged(tiff(tiff_of((64, 64), *strip, *shared), bytes(1_000_000)), "either")


def _tiff_samples(rng: Rng) -> Damaged:
    strip = longs(273, 8), longs(278, 64), longs(279, 4096), longs(277, int(rng.choice([6, 65_535, 2**31 - 1])))
    return Damaged(tiff(tiff_of((64, 64), *strip), bytes(4096)), "either")


def _exif_tags(kind: str) -> Callable[[Rng], Damaged]:
    def made(_rng: Rng) -> Damaged:
        length = 60_000 if kind == "JPEG" else 1_000_000
        tags = [Entry(tag, 7, length, place=8) for tag in range(0x9300, 0x9300 + 5000)]
        block = files.exif_block([Entry(1, 7, length, bytes(length)), *tags])
        return Damaged(files.with_exif(kind, _plain(kind), block), "either", _plain(kind))

    return made


def _webp_canvas(rng: Rng) -> Damaged:
    side = _side(rng, 60_000)
    return Damaged(
        files.webp(files.webp_canvas((side, side), int(rng.choice([0, 2, 16]))), (b"VP8 ", bytes(50))), "refuse"
    )


def _webp_lossless(rng: Rng) -> Damaged:
    side = _side(rng, 16_383)
    return Damaged(
        files.webp((b"VP8L", b"\x2f" + struct.pack("<I", side - 1 | (side - 1) << 14) + bytes(50))), "refuse"
    )


def _webp_lossy(rng: Rng) -> Damaged:
    side = _side(rng, 16_383)
    return Damaged(
        files.webp((b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", side, side) + bytes(50))), "refuse"
    )


def _webp_inner(rng: Rng) -> Damaged:
    """The canvas is small; the pixels behind it say to be more."""
    side = _side(rng, 16_383)
    body = b"\x2f" + struct.pack("<I", side - 1 | (side - 1) << 14) + bytes(50)
    return Damaged(files.webp(files.webp_canvas((64, 64)), (b"VP8L", body)), "refuse")


def _sized_jpeg(rng: Rng) -> Damaged:
    return Damaged(
        files.jpeg_resized(_plain("JPEG", int(rng.integers(2))), (_side(rng, 65_000), _side(rng, 65_000))), "refuse"
    )


def _sized_bmp(rng: Rng) -> Damaged:
    side = _side(rng, 65_000)
    return Damaged(
        files.bmp((side, side * int(rng.choice([-1, 1]))), bytes(99), bits=int(rng.choice([8, 24, 32]))), "refuse"
    )


BOMBS: Mapping[tuple[str, str], Callable[[Rng], Damaged]] = {
    ("PNG", "size"): _sized_png,
    ("PNG", "texts"): _png_texts,
    ("PNG", "profile"): _png_profile,
    ("PNG", "pixels"): _png_pixels,
    ("PNG", "EXIF"): _exif_tags("PNG"),
    ("GIF", "screen"): _gif_screen,
    ("GIF", "frame"): _gif_frame,
    ("GIF", "corner"): _gif_corner,
    ("TIFF", "size"): _tiff_size,
    ("TIFF", "tile"): _tiff_tile,
    ("TIFF", "tile said twice"): _tiff_double_tile,
    ("TIFF", "strip"): _tiff_strip,
    ("TIFF", "strips"): _tiff_strips,
    ("TIFF", "tags"): _tiff_tags,
    ("TIFF", "samples"): _tiff_samples,
    ("WEBP", "canvas"): _webp_canvas,
    ("WEBP", "lossless"): _webp_lossless,
    ("WEBP", "lossy"): _webp_lossy,
    ("WEBP", "inner"): _webp_inner,
    ("WEBP", "EXIF"): _exif_tags("WEBP"),
    ("JPEG", "size"): _sized_jpeg,
    ("JPEG", "EXIF"): _exif_tags("JPEG"),
    ("BMP", "size"): _sized_bmp,
}
"""(format, name) -> what makes it."""


# --- drips ------------------------------------------------------------------------------------------------------------

_DRIP = 8_000_000
"""Bytes of a drip: a third of what may be uploaded."""


def _png_chunks(_rng: Rng) -> Damaged:
    return Damaged(files.PNG_START + _plain("PNG")[8:33] + png_chunk(b"teSt", b"") * (_DRIP // 12) + _plain("PNG")[33:])


def _png_data(_rng: Rng) -> Damaged:
    return Damaged(_plain("PNG")[:33] + png_chunk(b"IDAT", b"") * (_DRIP // 12) + _plain("PNG")[33:])


def _gif_noise(_rng: Rng) -> Damaged:
    return Damaged(files.gif((64, 64), bytes(_DRIP), files.gif_frame((64, 64))))


def _gif_blocks(_rng: Rng) -> Damaged:
    return Damaged(files.gif((64, 64), b"!\xfe" + b"\x01x" * (_DRIP // 2) + b"\0", files.gif_frame((64, 64))))


def _jpeg_noise(_rng: Rng) -> Damaged:
    return Damaged(files.jpeg_with(_plain("JPEG"), b"\xff\xe0\0\x04ab" + bytes(_DRIP)))


def _jpeg_segments(_rng: Rng) -> Damaged:
    return Damaged(files.jpeg_with(_plain("JPEG"), files.jpeg_segment(0xE5, b"") * (_DRIP // 4)))


def _jpeg_scans(rng: Rng) -> Damaged:
    """A large progressive picture whose last scan comes again and again: each goes over the whole picture."""
    data = _plain("JPEG", 1)
    last = data[data.rfind(b"\xff\xda") : -2]
    side = int(rng.integers(5_000, 7_000))
    return Damaged(files.jpeg_resized(data[:-2] + last * 3000 + data[-2:], (side, side)))


def _tiff_entries(_rng: Rng) -> Damaged:
    """A directory of a BigTIFF that says to be endless."""
    entry = b"".join(struct.pack("<HHQQ", 0x8000 + number % 30_000, 4, 1, 0) for number in range(_DRIP // 20))
    return Damaged(b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**62) + entry)


def _bmp_runs(_rng: Rng) -> Damaged:
    """Runs of one pixel each."""
    return Damaged(files.bmp((2000, 2000), b"\x01\x07" * 4_000_000, bits=8, compression=1))


DRIPS: Mapping[tuple[str, str], Callable[[Rng], Damaged]] = {
    ("PNG", "chunks"): _png_chunks,
    ("PNG", "pixels"): _png_data,
    ("GIF", "noise"): _gif_noise,
    ("GIF", "blocks"): _gif_blocks,
    ("JPEG", "noise"): _jpeg_noise,
    ("JPEG", "segments"): _jpeg_segments,
    ("JPEG", "scans"): _jpeg_scans,
    ("TIFF", "entries"): _tiff_entries,
    ("BMP", "runs"): _bmp_runs,
}
