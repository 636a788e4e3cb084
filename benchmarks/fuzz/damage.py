"""Kinds of damage: each draws a valid picture, damages it and states the expected outcome.

Where the damage cannot change the picture (a cut tail without content, a huge comment, a broken colour profile), a
reference file of the same picture is given: if the damaged file is read, it has to look like the reference.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageCms

from benchmarks.fuzz import file_formats as files
from benchmarks.fuzz.file_formats import Entry, build_tiff, long_entry, png_chunk, short_entry, tiff_entries
from benchmarks.fuzz.sources import (
    BOX_FORMATS,
    EXIF_FORMATS,
    FORMATS,
    Source,
    draw_bare_source,
    draw_source,
    encode_picture,
    load_photograph,
)

Rng = np.random.Generator
Expectation = Literal["read", "refuse", "either"]
ABSURD = (0, 1, 7, 15, 16, 17, 255, 4097, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


@dataclass(frozen=True)
class DamagedFile:
    """A file, its expected outcome and a valid file of the same picture (None where there is none)."""

    data: bytes
    expected: Expectation = "either"
    reference: bytes | None = None


def _reference_for(source: Source) -> bytes | None:
    return source.data if source.plain else None


def _draw_early_offset(rng: Rng, length: int) -> int:
    """Draw an offset into a file, often near its start, where the headers are."""
    return int(length * rng.random() ** rng.choice([1, 3, 6]))


def _build_any(rng: Rng, *builders: Callable[[], DamagedFile]) -> DamagedFile:
    return builders[int(rng.integers(len(builders)))]()


def draw_whole_file(rng: Rng, kind: str) -> DamagedFile:
    """Draw an undamaged file; one in eight is larger than what is stored."""
    source = draw_source(rng, kind, large=rng.random() < 0.125)
    return DamagedFile(source.data, "read", _reference_for(source))


def cut_end(rng: Rng, kind: str) -> DamagedFile:
    """Cut off the end, from one byte to nearly all."""
    source = draw_source(rng, kind)
    keep = len(source.data) - int(rng.integers(1, 40)) if rng.random() < 0.3 else int(len(source.data) * rng.random())
    # Without more than its end mark a JPEG may lack rows, and is read with a note.
    is_whole = kind != "JPEG" or keep >= len(source.data) - 2
    return DamagedFile(source.data[:keep], "either", _reference_for(source) if is_whole else None)


def flip_bits(rng: Rng, kind: str) -> DamagedFile:
    """Flip one to eight bits."""
    data = bytearray(draw_source(rng, kind).data)
    for _ in range(rng.integers(1, 9)):
        data[_draw_early_offset(rng, len(data))] ^= 1 << rng.integers(8)
    return DamagedFile(bytes(data))


def overwrite_numbers(rng: Rng, kind: str) -> DamagedFile:
    """Overwrite numbers by absurd ones."""
    data = bytearray(draw_source(rng, kind).data)
    for _ in range(rng.integers(1, 5)):
        at, wide = _draw_early_offset(rng, len(data)), rng.random() < 0.6
        value = int(rng.choice(ABSURD)) & (0xFFFFFFFF if wide else 0xFFFF)
        data[at : at + (4 if wide else 2)] = struct.pack(str(rng.choice(["<", ">"])) + ("I" if wide else "H"), value)
    return DamagedFile(bytes(data))


def move_pieces(rng: Rng, kind: str) -> DamagedFile:
    """Cut out, double or replace pieces."""
    data, another = bytearray(draw_source(rng, kind).data), draw_source(rng, str(rng.choice(FORMATS))).data
    for _ in range(rng.integers(1, 4)):
        at, length = _draw_early_offset(rng, len(data)), int(rng.integers(1, 300))
        match rng.integers(3):
            case 0:
                del data[at : at + length]
            case 1:
                data[at:at] = data[at // 2 : at // 2 + length]
            case _:
                data[at:] = another[at:]
    return DamagedFile(bytes(data))


def replace_header(rng: Rng, kind: str) -> DamagedFile:
    """Replace the first bytes by another format's or noise, drop them, or prefix lines of text."""
    source, another = draw_source(rng, kind), draw_source(rng, str(rng.choice(FORMATS))).data
    data = source.data
    length = int(rng.choice([2, 4, 8, 12, 16, 32, 64]))
    return _build_any(
        rng,
        lambda: DamagedFile(another[:length] + data[length:]),
        lambda: DamagedFile(rng.bytes(length) + data[length:]),
        lambda: DamagedFile(data[length:]),
        lambda: DamagedFile(b"\r\n" * length + data, "read" if kind == "JPEG" else "refuse", _reference_for(source)),
    )


# --- EXIF -------------------------------------------------------------------------------------------------------------


def add_huge_exif(rng: Rng, kind: str) -> DamagedFile:
    """Add EXIF of megabytes, thousands of tags, shared values, references to itself, or noise."""
    if kind == "TIFF":
        exif = Image.Exif()
        exif[0x9286] = rng.bytes(int(rng.integers(50_000, 2_000_000)))
        whole = encode_picture(load_photograph("coffee"), kind)
        return DamagedFile(encode_picture(load_photograph("coffee"), kind, exif=exif), "read", whole)
    source, block = draw_bare_source(rng, kind), _draw_exif(rng, 200_000 if kind == "JPEG" else 3_000_000)
    return DamagedFile(files.add_exif(kind, source.data, block), "either", source.data)


def _draw_exif(rng: Rng, max_length: int) -> bytes:
    length = int(rng.integers(30_000, max_length))
    shared = range(0x9300, 0x9300 + int(rng.integers(500, 9000)))
    return (
        lambda: files.exif_block([Entry(0x9286, 7, length, bytes(length))]),
        lambda: files.exif_block([short_entry(tag, tag) for tag in range(0x8000, 0x8000 + min(length // 12, 30_000))]),
        lambda: files.exif_block(
            [Entry(1, 7, length, bytes(length)), *(Entry(tag, 7, length, place=8) for tag in shared)]
        ),
        lambda: files.exif_block(
            [long_entry(0x8769, 8), long_entry(0x8825, 8), long_entry(0x014A, 8, 8, 8)], following=8
        ),
        lambda: files.exif_block([Entry(tag, 12, 2**32 - 1, place=8) for tag in shared]),
        lambda: rng.bytes(length),
    )[int(rng.integers(6))]()


# --- sizes of zero, tiles ---------------------------------------------------------------------------------------------


def set_zero_size(rng: Rng, kind: str) -> DamagedFile:
    """State a width, height or both of zero in the header."""
    data, zeros = draw_bare_source(rng, kind).data, [(0, 0), (0, 64), (64, 0)]
    size = zeros[int(rng.integers(3))]
    return {
        "JPEG": lambda: DamagedFile(files.set_jpeg_size(data, size), "refuse"),
        "PNG": lambda: DamagedFile(
            data[:8] + png_chunk(b"IHDR", struct.pack(">II", *size) + data[24:29]) + data[33:], "refuse"
        ),
        "WEBP": lambda: DamagedFile(data[:26] + struct.pack("<HH", *size) + data[30:], "refuse"),
        "HEIC": lambda: DamagedFile(files.set_box_size(data, size), "refuse"),
        "AVIF": lambda: DamagedFile(files.set_box_size(data, size), "refuse"),
        "BMP": lambda: DamagedFile(data[:18] + struct.pack("<ii", *size) + data[26:], "refuse"),
        "GIF": lambda: DamagedFile(files.build_gif(size, files.gif_frame((64, 64) if rng.random() < 0.5 else size))),
        "TIFF": lambda: DamagedFile(
            build_tiff(tiff_entries(size, long_entry(273, 8), long_entry(278, 64), long_entry(279, 4096)), bytes(4096)),
            "refuse",
        ),
    }[kind]()


def build_odd_tiles(rng: Rng, _kind: str) -> DamagedFile:
    """Build a TIFF with strips or tiles of senseless size, number, offset or depth."""

    def choose(*values: int) -> int:
        return int(rng.choice(values))

    compression, channels, bits = (
        choose(1, 1, 5, 7, 8, 32_773, 50_000),
        choose(1, 1, 3, 4, 5),
        choose(1, 8, 8, 16, 32, 64),
    )
    places = [choose(0, 8, 9, 100, 2**31, 2**32 - 1) for _ in range(choose(1, 1, 2, 64, 5000))]
    lengths = [choose(0, 1, 4096, 2**31, 2**32 - 1)] * choose(1, len(places))
    size = (choose(8, 64, 100, 5000), choose(8, 64, 100, 5000))
    if rng.random() < 0.5:
        cuts = [long_entry(273, *places), long_entry(278, int(rng.choice(ABSURD))), long_entry(279, *lengths)]
    else:
        sides = [choose(*ABSURD, 16, 64, 6000) for _ in range(2)]
        cuts = [
            long_entry(322, sides[0]),
            long_entry(323, sides[1]),
            long_entry(324, *places),
            long_entry(325, *lengths),
        ]
    planes = [short_entry(284, 2)] if rng.random() < 0.3 else []
    return DamagedFile(
        build_tiff(
            tiff_entries(size, *cuts, *planes, compression=compression, channels=channels, bits=bits), rng.bytes(4096)
        )
    )


# --- colour profiles --------------------------------------------------------------------------------------------------


def embed_bad_profile(rng: Rng, kind: str) -> DamagedFile:
    """Embed a colour profile that is noise, cut off, for other colours, or subtly wrong."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # The hour of its making, or no case could be made twice.
    good = profile[:24] + bytes(12) + profile[36:]
    picture = load_photograph("chelsea")
    flipped = bytearray(good)
    for _ in range(20):
        flipped[int(rng.integers(128, len(good)))] ^= 1 << rng.integers(8)
    ignored = rng.random() < 0.5
    profiles = (
        [rng.bytes(int(rng.integers(1, 60_000))), good[:16] + b"CMYK" + good[20:], good[: int(rng.integers(1, 16))]]
        if ignored
        else [
            good[: int(rng.integers(20, len(good)))],
            bytes(flipped),
            good[:128] + b"\xff" * 4 + good[132:],
            good + bytes(600_000),
        ]
    )
    data = encode_picture(picture, kind, icc_profile=profiles[int(rng.integers(len(profiles)))])
    return DamagedFile(data, "read", encode_picture(picture, kind) if ignored else None)


# --- nested and moving ------------------------------------------------------------------------------------------------


def nest_pictures(rng: Rng, kind: str) -> DamagedFile:
    """Nest or concatenate pictures, add odd animation frames, or chain directories in a circle."""
    source, another = draw_bare_source(rng, kind), draw_source(rng, kind).data
    nests = _NESTS[kind](rng, source.data, another)
    return _build_any(
        rng,
        *nests,
        *nests,
        lambda: DamagedFile(
            source.data + another,
            "either" if kind in ("WEBP", "TIFF", *BOX_FORMATS) else "read",
            None if kind in BOX_FORMATS else source.data,
        ),
    )


def _build_jpeg_nests(_rng: Rng, data: bytes, another: bytes) -> list[Callable[[], DamagedFile]]:
    thumbnail = files.exif_block([long_entry(0x0201, 8), long_entry(0x0202, len(another))])
    app = [files.jpeg_segment(0xE0 + number % 16, bytes(100)) for number in range(500)]
    return [
        lambda: DamagedFile(files.add_exif("JPEG", data, thumbnail + another), "read", data),
        lambda: DamagedFile(files.add_jpeg_segments(data, *app[1::2]), "either"),
        lambda: DamagedFile(
            files.add_jpeg_segments(
                data,
                files.jpeg_segment(0xE2, b"MPF\0" + build_tiff([long_entry(0xB001, 2**31), long_entry(0xB002, 8)])),
            )
        ),
        lambda: DamagedFile(data[:2] + another),
    ]


def _build_png_nests(rng: Rng, data: bytes, another: bytes) -> list[Callable[[], DamagedFile]]:
    frame = struct.pack(
        ">IIIIIHHBB", 0, *(int(rng.choice(ABSURD)) for _ in range(4)), 1, 1, int(rng.integers(4)), int(rng.integers(3))
    )
    count = struct.pack(">II", int(rng.choice(ABSURD)), 0)
    texts = [png_chunk(b"tEXt", b"k%d\0v" % number) for number in range(4000)]
    return [
        lambda: DamagedFile(files.add_png_chunks(data, png_chunk(b"acTL", count), png_chunk(b"fcTL", frame))),
        lambda: DamagedFile(files.add_png_chunks(data, *texts), "read", data),
        lambda: DamagedFile(
            files.add_png_chunks(data, png_chunk(b"acTL", count), png_chunk(b"acTL", count)), "either", data
        ),
        lambda: DamagedFile(files.add_png_chunks(data, another[8:])),
    ]


def _build_webp_nests(rng: Rng, data: bytes, _another: bytes) -> list[Callable[[], DamagedFile]]:
    def frame(body: bytes) -> tuple[bytes, bytes]:
        return b"ANMF", rng.bytes(6) + (143).to_bytes(3, "little") + (99).to_bytes(3, "little") + bytes(4) + body

    inner = data[12:]
    canvas = files.webp_canvas((144, 100), flags=int(rng.integers(64)))
    return [
        lambda: DamagedFile(files.build_webp(canvas, (b"ANIM", bytes(6)), *[frame(inner)] * 50)),
        lambda: DamagedFile(files.build_webp(canvas, (b"ANIM", bytes(6)), frame(b"ANMF" + inner))),
        lambda: DamagedFile(files.build_webp(canvas, canvas, (data[12:16], data[20:]))),
        lambda: DamagedFile(files.build_webp(*[(b"JUNK", b"")] * 5000, (data[12:16], data[20:]))),
    ]


def _build_gif_nests(rng: Rng, data: bytes, another: bytes) -> list[Callable[[], DamagedFile]]:
    def frame() -> bytes:
        at, size = rng.integers(0, 300, 2), rng.integers(0, 300, 2)
        return files.gif_frame((int(size[0]), int(size[1])), (int(at[0]), int(at[1])), dispose=int(rng.integers(8)))

    return [
        lambda: DamagedFile(files.build_gif((64, 64), *(frame() for _ in range(300)))),
        lambda: DamagedFile(files.build_gif((64, 64), b"!\xfe" + b"\x01x" * 3000 + b"\0", frame())),
        lambda: DamagedFile(data[:-1] + another[13:], "read", data),
        lambda: DamagedFile(files.build_gif((64, 64), b"!\xf9\x00\x00", frame())),
    ]


def _build_tiff_nests(rng: Rng, _data: bytes, another: bytes) -> list[Callable[[], DamagedFile]]:
    strip = [long_entry(273, 8), long_entry(278, 64), long_entry(279, 4096)]
    whole = build_tiff(tiff_entries((64, 64), *strip), bytes(4096))
    place = int.from_bytes(whole[4:8], "little")
    return [
        lambda: DamagedFile(build_tiff(tiff_entries((64, 64), *strip), bytes(4096), following=place), "read", whole),
        lambda: DamagedFile(
            build_tiff(
                tiff_entries((64, 64), *strip, long_entry(330, *[place] * 500), long_entry(0x8769, place)), bytes(4096)
            ),
            "either",
            whole,
        ),
        lambda: DamagedFile(
            build_tiff(
                tiff_entries((64, 64), long_entry(273, 8), long_entry(279, len(another)), compression=7), another
            )
        ),
        lambda: DamagedFile(
            build_tiff(tiff_entries((64, 64), *strip, long_entry(274, int(rng.choice(ABSURD)))), bytes(4096))
        ),
    ]


def _build_bmp_nests(rng: Rng, data: bytes, another: bytes) -> list[Callable[[], DamagedFile]]:
    return [
        lambda: DamagedFile(files.build_bmp((64, 64), another, compression=int(rng.integers(4, 6)))),
        lambda: DamagedFile(files.build_bmp((64, 64), rng.bytes(6000), bits=8, compression=1)),
        lambda: DamagedFile(
            files.build_bmp((64, -64), rng.bytes(6000), bits=int(rng.choice([0, 2, 4, 8, 16, 24, 32])), compression=3)
        ),
        lambda: DamagedFile(data[:54] + another),
    ]


def _build_box_nests(rng: Rng, data: bytes, another: bytes) -> list[Callable[[], DamagedFile]]:
    start = int.from_bytes(data[:4], "big")
    meta = int.from_bytes(data[start : start + 4], "big")
    box = struct.pack(">I", 8 + len(another)) + b"free" + another
    return [
        lambda: DamagedFile(data + box, "read", data),
        lambda: DamagedFile(data[:start] * int(rng.integers(2, 1000)) + data[start:]),
        lambda: DamagedFile(data[: start + meta] + data[start:]),
        lambda: DamagedFile(data[:start] + struct.pack(">I", int(rng.choice(ABSURD))) + b"free" + data[start:]),
        lambda: DamagedFile(data[: start + 12] * int(rng.integers(2, 50)) + data[start + 12 :]),
    ]


_NESTS: Mapping[str, Callable[[Rng, bytes, bytes], list[Callable[[], DamagedFile]]]] = {
    "JPEG": _build_jpeg_nests,
    "PNG": _build_png_nests,
    "WEBP": _build_webp_nests,
    "GIF": _build_gif_nests,
    "TIFF": _build_tiff_nests,
    "BMP": _build_bmp_nests,
    "HEIC": _build_box_nests,
    "AVIF": _build_box_nests,
}

Maker = Callable[[Rng, str], DamagedFile]
KINDS: Mapping[str, tuple[Maker, tuple[str, ...]]] = {
    "undamaged": (draw_whole_file, FORMATS),
    "cut off": (cut_end, FORMATS),
    "bits flipped": (flip_bits, FORMATS),
    "absurd numbers": (overwrite_numbers, FORMATS),
    "pieces moved": (move_pieces, FORMATS),
    "wrong header": (replace_header, FORMATS),
    "huge EXIF": (add_huge_exif, EXIF_FORMATS),
    "zero size": (set_zero_size, FORMATS),
    "absurd tiles": (build_odd_tiles, ("TIFF",)),
    "bad profile": (embed_bad_profile, (*EXIF_FORMATS, *BOX_FORMATS)),
    "nested, moving": (nest_pictures, FORMATS),
}
"""Name -> function that damages, and its formats."""
