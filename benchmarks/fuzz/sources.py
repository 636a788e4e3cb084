"""Whole pictures to be damaged: the sample photographs, small, in every format, colour mode and compression that Pillow
writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image

from xai_core.images import SAMPLES

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
TURNED = ("JPEG", "PNG", "WEBP", "TIFF")
"""Formats that hold EXIF, and with it the way up."""
_PHOTOS = ("coffee", "chelsea", "rocket", "astronaut", "flower", "motorcycle")
_SMALL, _LARGE = (144, 100), (1500, 1040)


@dataclass(frozen=True)
class Variant:
    """One way to write a picture.

    `frames` > 1 makes it move; `plain` says that Pillow alone shows its colours rightly.
    """

    mode: str
    options: Mapping[str, object] = field(default_factory=dict)
    frames: int = 1
    plain: bool = True


def _ways(*ways: Variant) -> tuple[Variant, ...]:
    return ways


VARIANTS: Mapping[str, Sequence[Variant]] = {
    "JPEG": _ways(
        Variant("RGB"), Variant("RGB", {"progressive": True}), Variant("L"), Variant("RGB", {"subsampling": 0, "comment": b"hello"}),
        Variant("CMYK"), Variant("RGB", {"format": "MPO"}, frames=2),
    ),
    "PNG": _ways(
        Variant("RGB"), Variant("RGBA"), Variant("P"), Variant("L"), Variant("LA"), Variant("1"),
        Variant("P", {"transparency": bytes([0, 99, 255])}), Variant("I;16", plain=False), Variant("RGB", frames=3),
    ),
    "WEBP": _ways(Variant("RGB"), Variant("RGBA", {"lossless": True}), Variant("RGB", frames=3)),
    "BMP": _ways(Variant("RGB"), Variant("P"), Variant("L"), Variant("RGBA"), Variant("1")),
    "GIF": _ways(Variant("P"), Variant("L"), Variant("P", {"transparency": 3}), Variant("P", {"interlace": False}, frames=3)),
    "TIFF": _ways(
        Variant("RGB"), Variant("RGB", {"compression": "tiff_lzw"}), Variant("RGB", {"compression": "tiff_adobe_deflate"}),
        Variant("RGB", {"compression": "packbits"}), Variant("RGB", {"compression": "jpeg"}), Variant("1", {"compression": "group4"}),
        Variant("CMYK"), Variant("P"), Variant("RGBA"), Variant("RGB", {"big_tiff": True}), Variant("RGB", frames=2),
        Variant("I;16", plain=False), Variant("F", plain=False),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A whole file. `plain`: a plain Pillow reading shows what is to be seen."""

    format: str
    data: bytes
    plain: bool


def draw(rng: np.random.Generator, kind: str, large: bool = False) -> Source:
    """Any photograph in any variant of this format, turned any way where the format knows of ways up."""
    at = int(rng.integers(len(VARIANTS[kind])))
    turn = int(rng.integers(9)) if kind in TURNED else 0
    return Source(kind, encoded(kind, at, str(rng.choice(_PHOTOS)), turn, large), VARIANTS[kind][at].plain)


def draw_bare(rng: np.random.Generator, kind: str) -> Source:
    """A photograph in the format's first, simplest variant, without any metadata."""
    return Source(kind, encoded(kind, 0, str(rng.choice(_PHOTOS)), 0), plain=True)


@lru_cache(maxsize=512)
def encoded(kind: str, variant: int, photo: str, turn: int, large: bool = False) -> bytes:
    """The file; `turn` is the orientation that EXIF is to state, 0 for no EXIF."""
    way = VARIANTS[kind][variant]
    picture = photograph(photo, large)
    frames = [_in_mode(picture.rotate(30 * number), way.mode) for number in range(way.frames)]
    exif = {"exif": _turned(turn)} if turn else {}
    moving = {"save_all": True, "append_images": frames[1:]} if way.frames > 1 else {}
    return written(frames[0], kind, **{**way.options, **exif, **moving})


def written(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file of this kind; an option `format` goes before it."""
    form = str(options.pop("format", kind))
    out = BytesIO()
    picture.copy().save(out, form, **options)  # a copy, because Pillow leaves its settings on what it saves
    return out.getvalue()


@lru_cache(maxsize=32)
def photograph(name: str, large: bool = False) -> Image.Image:
    """A sample picture, small or larger than what is kept of a picture."""
    return SAMPLES.get(name).load().resize(_LARGE if large else _SMALL)


def _turned(turn: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = turn, "a camera"
    return exif


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    if mode == "P":
        return picture.quantize(64)
    if mode == "I;16":
        return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    made = picture.convert(mode)
    if mode.endswith("A"):
        made.putalpha(Image.linear_gradient("L").resize(picture.size))
    return made
