"""The kinds of damage: each draws a whole picture, harms it, and says what may become of it.

Where the harm cannot change what is seen (a tail cut off that held nothing, a huge comment, a broken colour profile),
the file that shows the same picture comes along: if the harmed one is read, it has to look like that.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageCms

from benchmarks.fuzz import file_formats as files
from benchmarks.fuzz.file_formats import Entry, longs, png_chunk, shorts, tiff, tiff_of
from benchmarks.fuzz.sources import FORMATS, TURNED, Source, draw, draw_bare, photograph, written

Rng = np.random.Generator
Must = Literal["read", "refuse", "either"]
ABSURD = (0, 1, 7, 15, 16, 17, 255, 4097, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


@dataclass(frozen=True)
class Damaged:
    """A file, what has to become of it, and a whole file that shows the same picture (None where that cannot be said).
    """

    data: bytes
    must: Must = "either"
    like: bytes | None = None


def _like(source: Source) -> bytes | None:
    return source.data if source.plain else None


def _early(rng: Rng, length: int) -> int:
    """A place in a file, often near its start, where the headers are."""
    return int(length * rng.random() ** rng.choice([1, 3, 6]))


def _any_of(rng: Rng, *made: Callable[[], Damaged]) -> Damaged:
    return made[int(rng.integers(len(made)))]()


def undamaged(rng: Rng, kind: str) -> Damaged:
    """Nothing is wrong with it; one in eight is larger than what is kept."""
    source = draw(rng, kind, large=rng.random() < 0.125)
    return Damaged(source.data, "read", _like(source))


def cut(rng: Rng, kind: str) -> Damaged:
    """The end is missing, from one byte to nearly all."""
    source = draw(rng, kind)
    keep = len(source.data) - int(rng.integers(1, 40)) if rng.random() < 0.3 else int(len(source.data) * rng.random())
    return Damaged(source.data[:keep], "either", _like(source))


def flips(rng: Rng, kind: str) -> Damaged:
    """One to eight bits turned over."""
    data = bytearray(draw(rng, kind).data)
    for _ in range(rng.integers(1, 9)):
        data[_early(rng, len(data))] ^= 1 << rng.integers(8)
    return Damaged(bytes(data))


def numbers(rng: Rng, kind: str) -> Damaged:
    """Numbers overwritten by absurd ones."""
    data = bytearray(draw(rng, kind).data)
    for _ in range(rng.integers(1, 5)):
        at, wide = _early(rng, len(data)), rng.random() < 0.6
        value = int(rng.choice(ABSURD)) & (0xFFFFFFFF if wide else 0xFFFF)
        data[at : at + (4 if wide else 2)] = struct.pack(str(rng.choice(["<", ">"])) + ("I" if wide else "H"), value)
    return Damaged(bytes(data))


def pieces(rng: Rng, kind: str) -> Damaged:
    """Pieces cut out, doubled, or taken from another picture."""
    data, other = bytearray(draw(rng, kind).data), draw(rng, str(rng.choice(FORMATS))).data
    for _ in range(rng.integers(1, 4)):
        at, length = _early(rng, len(data)), int(rng.integers(1, 300))
        match rng.integers(3):
            case 0:
                del data[at : at + length]
            case 1:
                data[at:at] = data[at // 2 : at // 2 + length]
            case _:
                data[at:] = other[at:]
    return Damaged(bytes(data))


def wrong_header(rng: Rng, kind: str) -> Damaged:
    """The first bytes are another format's, noise, missing, or moved back by a line of text."""
    data, other = draw(rng, kind).data, draw(rng, str(rng.choice(FORMATS))).data
    length = int(rng.choice([2, 4, 8, 12, 16, 32, 64]))
    return _any_of(
        rng,
        lambda: Damaged(other[:length] + data[length:]),
        lambda: Damaged(rng.bytes(length) + data[length:]),
        lambda: Damaged(data[length:]),
        lambda: Damaged(b"\r\n" * length + data, "refuse"),
    )


# --- EXIF -------------------------------------------------------------------------------------------------------------


def huge_exif(rng: Rng, kind: str) -> Damaged:
    """EXIF of megabytes, of thousands of tags, of tags that share their bytes, that points at itself, or of noise."""
    if kind == "TIFF":
        exif = Image.Exif()
        exif[0x9286] = rng.bytes(int(rng.integers(50_000, 2_000_000)))
        whole = written(photograph("coffee"), kind)
        return Damaged(written(photograph("coffee"), kind, exif=exif), "read", whole)
    source, block = draw_bare(rng, kind), _exif(rng, 200_000 if kind == "JPEG" else 3_000_000)
    return Damaged(files.with_exif(kind, source.data, block), "either", source.data)


def _exif(rng: Rng, most: int) -> bytes:
    length = int(rng.integers(30_000, most))
    shared = range(0x9300, 0x9300 + int(rng.integers(500, 9000)))
    return (
        lambda: files.exif_block([Entry(0x9286, 7, length, bytes(length))]),
        lambda: files.exif_block([shorts(tag, tag) for tag in range(0x8000, 0x8000 + min(length // 12, 30_000))]),
        lambda: files.exif_block(
            [Entry(1, 7, length, bytes(length)), *(Entry(tag, 7, length, place=8) for tag in shared)]
        ),
        lambda: files.exif_block([longs(0x8769, 8), longs(0x8825, 8), longs(0x014A, 8, 8, 8)], following=8),
        lambda: files.exif_block([Entry(tag, 12, 2**32 - 1, place=8) for tag in shared]),
        lambda: rng.bytes(length),
    )[int(rng.integers(6))]()


# --- sizes of zero, tiles ---------------------------------------------------------------------------------------------


def zero_size(rng: Rng, kind: str) -> Damaged:
    """Width, height or both are zero by the header."""
    data, zeros = draw_bare(rng, kind).data, [(0, 0), (0, 64), (64, 0)]
    size = zeros[int(rng.integers(3))]
    return {
        "JPEG": lambda: Damaged(files.jpeg_resized(data, size), "refuse"),
        "PNG": lambda: Damaged(
            data[:8] + png_chunk(b"IHDR", struct.pack(">II", *size) + data[24:29]) + data[33:], "refuse"
        ),
        "WEBP": lambda: Damaged(data[:26] + struct.pack("<HH", *size) + data[30:], "refuse"),
        "BMP": lambda: Damaged(data[:18] + struct.pack("<ii", *size) + data[26:], "refuse"),
        "GIF": lambda: Damaged(files.gif(size, files.gif_frame((64, 64) if rng.random() < 0.5 else size))),
        "TIFF": lambda: Damaged(
            tiff(tiff_of(size, longs(273, 8), longs(278, 64), longs(279, 4096)), bytes(4096)), "refuse"
        ),
    }[kind]()


def tiles(rng: Rng, _kind: str) -> Damaged:
    """A TIFF cut into strips or tiles that make no sense: their sizes, their number, their places, their depth."""

    def some(*values: int) -> int:
        return int(rng.choice(values))

    compression, channels, bits = some(1, 1, 5, 7, 8, 32_773, 50_000), some(1, 1, 3, 4, 5), some(1, 8, 8, 16, 32, 64)
    places = [some(0, 8, 9, 100, 2**31, 2**32 - 1) for _ in range(some(1, 1, 2, 64, 5000))]
    lengths = [some(0, 1, 4096, 2**31, 2**32 - 1)] * some(1, len(places))
    size = (some(8, 64, 100, 5000), some(8, 64, 100, 5000))
    if rng.random() < 0.5:
        cuts = [longs(273, *places), longs(278, int(rng.choice(ABSURD))), longs(279, *lengths)]
    else:
        sides = [some(*ABSURD, 16, 64, 6000) for _ in range(2)]
        cuts = [longs(322, sides[0]), longs(323, sides[1]), longs(324, *places), longs(325, *lengths)]
    planes = [shorts(284, 2)] if rng.random() < 0.3 else []
    return Damaged(
        tiff(tiff_of(size, *cuts, *planes, compression=compression, channels=channels, bits=bits), rng.bytes(4096))
    )


# --- colour profiles --------------------------------------------------------------------------------------------------


def bad_profile(rng: Rng, kind: str) -> Damaged:
    """An embedded colour profile that is noise, cut off, for other colours, or subtly wrong."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    good = made[:24] + bytes(12) + made[36:]  # the hour of its making, or no case could be made twice
    picture = photograph("chelsea")
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
    data = written(picture, kind, icc_profile=profiles[int(rng.integers(len(profiles)))])
    return Damaged(data, "read", written(picture, kind) if ignored else None)


# --- nested and moving ------------------------------------------------------------------------------------------------


def nested(rng: Rng, kind: str) -> Damaged:
    """Pictures in pictures, one behind another, moving ones with odd frames, and chains of directories that end in
    themselves.
    """
    source, other = draw_bare(rng, kind), draw(rng, kind).data
    own = _NESTED[kind](rng, source.data, other)
    return _any_of(
        rng,
        *own,
        *own,
        lambda: Damaged(source.data + other, "either" if kind in ("WEBP", "TIFF") else "read", source.data),
    )


def _jpeg_nests(_rng: Rng, data: bytes, other: bytes) -> list[Callable[[], Damaged]]:
    thumbnail = files.exif_block([longs(0x0201, 8), longs(0x0202, len(other))])
    app = [files.jpeg_segment(0xE0 + number % 16, bytes(100)) for number in range(500)]
    return [
        lambda: Damaged(files.with_exif("JPEG", data, thumbnail + other), "read", data),
        lambda: Damaged(files.jpeg_with(data, *app[1::2]), "either"),
        lambda: Damaged(
            files.jpeg_with(data, files.jpeg_segment(0xE2, b"MPF\0" + tiff([longs(0xB001, 2**31), longs(0xB002, 8)])))
        ),
        lambda: Damaged(data[:2] + other),
    ]


def _png_nests(rng: Rng, data: bytes, other: bytes) -> list[Callable[[], Damaged]]:
    frame = struct.pack(
        ">IIIIIHHBB", 0, *(int(rng.choice(ABSURD)) for _ in range(4)), 1, 1, int(rng.integers(4)), int(rng.integers(3))
    )
    count = struct.pack(">II", int(rng.choice(ABSURD)), 0)
    texts = [png_chunk(b"tEXt", b"k%d\0v" % number) for number in range(4000)]
    return [
        lambda: Damaged(files.png_with(data, png_chunk(b"acTL", count), png_chunk(b"fcTL", frame))),
        lambda: Damaged(files.png_with(data, *texts), "read", data),
        lambda: Damaged(files.png_with(data, png_chunk(b"acTL", count), png_chunk(b"acTL", count)), "either", data),
        lambda: Damaged(files.png_with(data, other[8:])),
    ]


def _webp_nests(rng: Rng, data: bytes, _other: bytes) -> list[Callable[[], Damaged]]:
    def frame(body: bytes) -> tuple[bytes, bytes]:
        return b"ANMF", rng.bytes(6) + (143).to_bytes(3, "little") + (99).to_bytes(3, "little") + bytes(4) + body

    inner = data[12:]
    canvas = files.webp_canvas((144, 100), flags=int(rng.integers(64)))
    return [
        lambda: Damaged(files.webp(canvas, (b"ANIM", bytes(6)), *[frame(inner)] * 50)),
        lambda: Damaged(files.webp(canvas, (b"ANIM", bytes(6)), frame(b"ANMF" + inner))),
        lambda: Damaged(files.webp(canvas, canvas, (data[12:16], data[20:]))),
        lambda: Damaged(files.webp(*[(b"JUNK", b"")] * 5000, (data[12:16], data[20:]))),
    ]


def _gif_nests(rng: Rng, data: bytes, other: bytes) -> list[Callable[[], Damaged]]:
    def frame() -> bytes:
        at, size = rng.integers(0, 300, 2), rng.integers(0, 300, 2)
        return files.gif_frame((int(size[0]), int(size[1])), (int(at[0]), int(at[1])), dispose=int(rng.integers(8)))

    return [
        lambda: Damaged(files.gif((64, 64), *(frame() for _ in range(300)))),
        lambda: Damaged(files.gif((64, 64), b"!\xfe" + b"\x01x" * 3000 + b"\0", frame())),
        lambda: Damaged(data[:-1] + other[13:], "read", data),
        lambda: Damaged(files.gif((64, 64), b"!\xf9\x00\x00", frame())),
    ]


def _tiff_nests(rng: Rng, _data: bytes, other: bytes) -> list[Callable[[], Damaged]]:
    strip = [longs(273, 8), longs(278, 64), longs(279, 4096)]
    whole = tiff(tiff_of((64, 64), *strip), bytes(4096))
    place = int.from_bytes(whole[4:8], "little")
    return [
        lambda: Damaged(tiff(tiff_of((64, 64), *strip), bytes(4096), following=place), "read", whole),
        lambda: Damaged(
            tiff(tiff_of((64, 64), *strip, longs(330, *[place] * 500), longs(0x8769, place)), bytes(4096)),
            "either",
            whole,
        ),
        lambda: Damaged(tiff(tiff_of((64, 64), longs(273, 8), longs(279, len(other)), compression=7), other)),
        lambda: Damaged(tiff(tiff_of((64, 64), *strip, longs(274, int(rng.choice(ABSURD)))), bytes(4096))),
    ]


def _bmp_nests(rng: Rng, data: bytes, other: bytes) -> list[Callable[[], Damaged]]:
    return [
        lambda: Damaged(files.bmp((64, 64), other, compression=int(rng.integers(4, 6)))),
        lambda: Damaged(files.bmp((64, 64), rng.bytes(6000), bits=8, compression=1)),
        lambda: Damaged(
            files.bmp((64, -64), rng.bytes(6000), bits=int(rng.choice([0, 2, 4, 8, 16, 24, 32])), compression=3)
        ),
        lambda: Damaged(data[:54] + other),
    ]


_NESTED: Mapping[str, Callable[[Rng, bytes, bytes], list[Callable[[], Damaged]]]] = {
    "JPEG": _jpeg_nests, "PNG": _png_nests, "WEBP": _webp_nests, "GIF": _gif_nests, "TIFF": _tiff_nests, "BMP": _bmp_nests,
}  # fmt: skip

Maker = Callable[[Rng, str], Damaged]
KINDS: Mapping[str, tuple[Maker, tuple[str, ...]]] = {
    "undamaged": (undamaged, FORMATS),
    "cut off": (cut, FORMATS),
    "bits flipped": (flips, FORMATS),
    "absurd numbers": (numbers, FORMATS),
    "pieces moved": (pieces, FORMATS),
    "wrong header": (wrong_header, FORMATS),
    "huge EXIF": (huge_exif, TURNED),
    "zero size": (zero_size, FORMATS),
    "absurd tiles": (tiles, ("TIFF",)),
    "bad profile": (bad_profile, TURNED),
    "nested, moving": (nested, FORMATS),
}
"""Name -> what makes it, and in which formats."""
