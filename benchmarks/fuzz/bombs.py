"""Small files that expand greatly (bombs: to be refused at once) or read slowly (drips: to end soon).

A bomb states or unpacks to far more than its own size; a drip consists of so many tiny pieces that a careless reader is
busy for minutes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np

from benchmarks.fuzz import file_formats as files
from benchmarks.fuzz.damage import DamagedFile
from benchmarks.fuzz.file_formats import Entry, build_tiff, long_entry, png_chunk, tiff_entries
from benchmarks.fuzz.sources import encode_photograph

Rng = np.random.Generator
_SIDES = (7_100, 9_000, 12_000, 13_300, 16_000)
"""From just over 50 million pixels on; Pillow itself refuses from 13,378 a side."""


@lru_cache(maxsize=4)
def _compress_zeros(size: int) -> bytes:
    """Compress `size` zero bytes."""
    return zlib.compress(bytes(size))


def _draw_side(rng: Rng, max_side: int = 16_000) -> int:
    return min(int(rng.choice([*_SIDES, int(rng.integers(7_100, 65_000))])), max_side)


def _encode_plain(kind: str, variant: int = 0) -> bytes:
    return encode_photograph(kind, variant, "coffee", 0)


def _build_png_size(rng: Rng) -> DamagedFile:
    side, texts = _draw_side(rng, 65_000), [png_chunk(b"zTXt", b"a\0\0" + _compress_zeros(1_000_000))] * 60
    return DamagedFile(
        files.build_png((side, side), _compress_zeros(20_000_000), *texts, interlaced=int(rng.integers(2))), "refuse"
    )


def _build_png_texts(_rng: Rng) -> DamagedFile:
    texts = [png_chunk(b"zTXt", b"k%d\0\0" % number + _compress_zeros(1_000_000)) for number in range(60)]
    return DamagedFile(files.add_png_chunks(_encode_plain("PNG"), *texts), "either", _encode_plain("PNG"))


def _build_png_profile(_rng: Rng) -> DamagedFile:
    return DamagedFile(
        files.add_png_chunks(_encode_plain("PNG"), png_chunk(b"iCCP", b"p\0\0" + _compress_zeros(100_000_000))),
        "either",
        _encode_plain("PNG"),
    )


def _build_png_pixels(_rng: Rng) -> DamagedFile:
    """Build a PNG with a thousand times the pixels that its header states."""
    return DamagedFile(files.build_png((64, 64), _compress_zeros(100_000_000)), "either")


def _build_gif_screen(rng: Rng) -> DamagedFile:
    side = _draw_side(rng, 65_000)
    return DamagedFile(files.build_gif((side, side), files.gif_frame((side, side), dispose=2)), "refuse")


def _build_gif_frame(rng: Rng) -> DamagedFile:
    """Build a GIF with a frame far larger than its screen."""
    side = _draw_side(rng, 65_000)
    return DamagedFile(
        files.build_gif((64, 64), files.gif_frame((side, side), dispose=int(rng.choice([0, 2, 3])))), "refuse"
    )


def _build_gif_corner(rng: Rng) -> DamagedFile:
    """Build a GIF with a small frame far outside its small screen."""
    return DamagedFile(
        files.build_gif(
            (64, 64), files.gif_frame((64, 64), (_draw_side(rng, 65_000), _draw_side(rng, 65_000)), dispose=2)
        ),
        "refuse",
    )


def _build_tiff_size(rng: Rng) -> DamagedFile:
    side, packed = _draw_side(rng, 65_000), _compress_zeros(20_000_000)
    cuts = long_entry(273, 8), long_entry(278, side), long_entry(279, len(packed))
    return DamagedFile(
        build_tiff(tiff_entries((side, side), *cuts, compression=int(rng.choice([1, 5, 8]))), packed), "refuse"
    )


def _build_tiff_tile(rng: Rng) -> DamagedFile:
    """Build a small TIFF that is cut into huge tiles."""
    side, packed = int(rng.choice([3_008, 5_008, 7_008, 16_000, 65_008])), _compress_zeros(100_000_000)
    channels, bits = int(rng.choice([1, 3, 4])), int(rng.choice([8, 16]))
    cuts = long_entry(322, side), long_entry(323, side), long_entry(324, 8), long_entry(325, len(packed))
    return DamagedFile(
        build_tiff(tiff_entries((64, 64), *cuts, channels=channels, bits=bits, compression=8), packed), "either"
    )


def _build_tiff_double_tile(_rng: Rng) -> DamagedFile:
    """Build a TIFF that states its tile size twice, so that the value is not a plain number."""
    packed = _compress_zeros(100_000_000)
    cuts = (
        long_entry(322, 16_000, 16_000),
        long_entry(323, 16_000, 16_000),
        long_entry(324, 8),
        long_entry(325, len(packed)),
    )
    return DamagedFile(build_tiff(tiff_entries((64, 64), *cuts, compression=8), packed), "either")


def _build_tiff_strip(rng: Rng) -> DamagedFile:
    """Build a TIFF with one strip that states and holds more rows than the picture has."""
    packed = _compress_zeros(200_000_000)
    cuts = (
        long_entry(273, 8),
        long_entry(278, int(rng.choice([64, 2**31 - 1, 2**32 - 1]))),
        long_entry(279, len(packed)),
    )
    return DamagedFile(build_tiff(tiff_entries((64, 64), *cuts, compression=8), packed), "either")


def _build_tiff_strips(rng: Rng) -> DamagedFile:
    """Build a TIFF of 64 rows with hundreds of thousands of strips."""
    count = int(rng.choice([200_000, 400_000]))
    cuts = long_entry(273, *[8] * count), long_entry(278, 1), long_entry(279, *[64] * 4)
    return DamagedFile(build_tiff(tiff_entries((64, 64), *cuts), bytes(4096)), "either")


def _build_tiff_tags(_rng: Rng) -> DamagedFile:
    """Build a TIFF with tens of thousands of tags that share one megabyte."""
    strip = long_entry(273, 8), long_entry(278, 64), long_entry(279, 4096)
    shared = (
        Entry(tag, 7, 1_000_000, place=8) for tag in range(0x8000, 0x8000 + 30_000) if tag not in (0x8769, 0x8825)
    )
    return DamagedFile(build_tiff(tiff_entries((64, 64), *strip, *shared), bytes(1_000_000)), "either")


def _build_tiff_samples(rng: Rng) -> DamagedFile:
    strip = (
        long_entry(273, 8),
        long_entry(278, 64),
        long_entry(279, 4096),
        long_entry(277, int(rng.choice([6, 65_535, 2**31 - 1]))),
    )
    return DamagedFile(build_tiff(tiff_entries((64, 64), *strip), bytes(4096)), "either")


def _exif_tags_builder(kind: str) -> Callable[[Rng], DamagedFile]:
    def build(_rng: Rng) -> DamagedFile:
        length = 60_000 if kind == "JPEG" else 1_000_000
        tags = [Entry(tag, 7, length, place=8) for tag in range(0x9300, 0x9300 + 5000)]
        block = files.exif_block([Entry(1, 7, length, bytes(length)), *tags])
        return DamagedFile(files.add_exif(kind, _encode_plain(kind), block), "either", _encode_plain(kind))

    return build


def _build_webp_canvas(rng: Rng) -> DamagedFile:
    side = _draw_side(rng, 60_000)
    return DamagedFile(
        files.build_webp(files.webp_canvas((side, side), int(rng.choice([0, 2, 16]))), (b"VP8 ", bytes(50))), "refuse"
    )


def _build_webp_lossless(rng: Rng) -> DamagedFile:
    side = _draw_side(rng, 16_383)
    return DamagedFile(
        files.build_webp((b"VP8L", b"\x2f" + struct.pack("<I", side - 1 | (side - 1) << 14) + bytes(50))), "refuse"
    )


def _build_webp_lossy(rng: Rng) -> DamagedFile:
    side = _draw_side(rng, 16_383)
    return DamagedFile(
        files.build_webp((b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", side, side) + bytes(50))), "refuse"
    )


def _build_webp_inner(rng: Rng) -> DamagedFile:
    """Build a WebP with a small canvas and a larger size in its pixel data."""
    side = _draw_side(rng, 16_383)
    body = b"\x2f" + struct.pack("<I", side - 1 | (side - 1) << 14) + bytes(50)
    return DamagedFile(files.build_webp(files.webp_canvas((64, 64)), (b"VP8L", body)), "refuse")


def _build_jpeg_size(rng: Rng) -> DamagedFile:
    return DamagedFile(
        files.set_jpeg_size(
            _encode_plain("JPEG", int(rng.integers(2))), (_draw_side(rng, 65_000), _draw_side(rng, 65_000))
        ),
        "refuse",
    )


def _build_bmp_size(rng: Rng) -> DamagedFile:
    side = _draw_side(rng, 65_000)
    return DamagedFile(
        files.build_bmp((side, side * int(rng.choice([-1, 1]))), bytes(99), bits=int(rng.choice([8, 24, 32]))), "refuse"
    )


def _box_size_builder(kind: str) -> Callable[[Rng], DamagedFile]:
    def build(rng: Rng) -> DamagedFile:
        side = _draw_side(rng, 65_000)
        return DamagedFile(files.set_box_size(_encode_plain(kind, int(rng.integers(4))), (side, side)), "refuse")

    return build


BOMBS: Mapping[tuple[str, str], Callable[[Rng], DamagedFile]] = {
    ("PNG", "size"): _build_png_size,
    ("PNG", "texts"): _build_png_texts,
    ("PNG", "profile"): _build_png_profile,
    ("PNG", "pixels"): _build_png_pixels,
    ("PNG", "EXIF"): _exif_tags_builder("PNG"),
    ("GIF", "screen"): _build_gif_screen,
    ("GIF", "frame"): _build_gif_frame,
    ("GIF", "corner"): _build_gif_corner,
    ("TIFF", "size"): _build_tiff_size,
    ("TIFF", "tile"): _build_tiff_tile,
    ("TIFF", "tile said twice"): _build_tiff_double_tile,
    ("TIFF", "strip"): _build_tiff_strip,
    ("TIFF", "strips"): _build_tiff_strips,
    ("TIFF", "tags"): _build_tiff_tags,
    ("TIFF", "samples"): _build_tiff_samples,
    ("WEBP", "canvas"): _build_webp_canvas,
    ("WEBP", "lossless"): _build_webp_lossless,
    ("WEBP", "lossy"): _build_webp_lossy,
    ("WEBP", "inner"): _build_webp_inner,
    ("WEBP", "EXIF"): _exif_tags_builder("WEBP"),
    ("JPEG", "size"): _build_jpeg_size,
    ("JPEG", "EXIF"): _exif_tags_builder("JPEG"),
    ("BMP", "size"): _build_bmp_size,
    ("HEIC", "size"): _box_size_builder("HEIC"),
    ("AVIF", "size"): _box_size_builder("AVIF"),
}
"""(format, name) -> builder."""


# --- drips ------------------------------------------------------------------------------------------------------------

_DRIP = 8_000_000
"""Bytes of a drip: a third of what may be uploaded."""


def _build_png_chunks(_rng: Rng) -> DamagedFile:
    return DamagedFile(
        files.PNG_START
        + _encode_plain("PNG")[8:33]
        + png_chunk(b"teSt", b"") * (_DRIP // 12)
        + _encode_plain("PNG")[33:]
    )


def _build_png_data(_rng: Rng) -> DamagedFile:
    return DamagedFile(_encode_plain("PNG")[:33] + png_chunk(b"IDAT", b"") * (_DRIP // 12) + _encode_plain("PNG")[33:])


def _build_gif_noise(_rng: Rng) -> DamagedFile:
    return DamagedFile(files.build_gif((64, 64), bytes(_DRIP), files.gif_frame((64, 64))))


def _build_gif_blocks(_rng: Rng) -> DamagedFile:
    return DamagedFile(files.build_gif((64, 64), b"!\xfe" + b"\x01x" * (_DRIP // 2) + b"\0", files.gif_frame((64, 64))))


def _build_jpeg_noise(_rng: Rng) -> DamagedFile:
    return DamagedFile(files.add_jpeg_segments(_encode_plain("JPEG"), b"\xff\xe0\0\x04ab" + bytes(_DRIP)))


def _build_jpeg_segments(_rng: Rng) -> DamagedFile:
    return DamagedFile(files.add_jpeg_segments(_encode_plain("JPEG"), files.jpeg_segment(0xE5, b"") * (_DRIP // 4)))


def _build_jpeg_scans(rng: Rng) -> DamagedFile:
    """Build a large progressive JPEG whose last scan, over the whole picture, is repeated 3,000 times."""
    data = _encode_plain("JPEG", 1)
    last = data[data.rfind(b"\xff\xda") : -2]
    side = int(rng.integers(5_000, 7_000))
    return DamagedFile(files.set_jpeg_size(data[:-2] + last * 3000 + data[-2:], (side, side)))


def _build_tiff_entries(_rng: Rng) -> DamagedFile:
    """Build a BigTIFF with a directory that states 2^62 entries."""
    entry = b"".join(struct.pack("<HHQQ", 0x8000 + number % 30_000, 4, 1, 0) for number in range(_DRIP // 20))
    return DamagedFile(b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**62) + entry)


def _build_bmp_runs(_rng: Rng) -> DamagedFile:
    """Build a BMP of runs of one pixel each."""
    return DamagedFile(files.build_bmp((2000, 2000), b"\x01\x07" * 4_000_000, bits=8, compression=1))


DRIPS: Mapping[tuple[str, str], Callable[[Rng], DamagedFile]] = {
    ("PNG", "chunks"): _build_png_chunks,
    ("PNG", "pixels"): _build_png_data,
    ("GIF", "noise"): _build_gif_noise,
    ("GIF", "blocks"): _build_gif_blocks,
    ("JPEG", "noise"): _build_jpeg_noise,
    ("JPEG", "segments"): _build_jpeg_segments,
    ("JPEG", "scans"): _build_jpeg_scans,
    ("TIFF", "entries"): _build_tiff_entries,
    ("BMP", "runs"): _build_bmp_runs,
}
