"""Valid pictures to be damaged: small sample photographs in each format, mode and compression that Pillow writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import Image

from xai_core.images import SAMPLES

BOX_FORMATS = ("HEIC", "AVIF")
"""Formats made of boxes (ISO/IEC 14496-12)."""
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", *BOX_FORMATS)
EXIF_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
"""Formats with EXIF, and thereby an orientation."""
_PHOTOS = ("coffee", "chelsea", "rocket", "astronaut", "flower", "motorcycle")
_SMALL, _LARGE = (144, 100), (1500, 1040)


@dataclass(frozen=True)
class Variant:
    """One way to encode a picture: `frames` > 1 animates it; `plain` if Pillow alone shows its colours correctly."""

    mode: str
    options: Mapping[str, object] = field(default_factory=dict)
    frames: int = 1
    plain: bool = True


VARIANTS: Mapping[str, Sequence[Variant]] = {
    "JPEG": (
        Variant("RGB"), Variant("RGB", {"progressive": True}), Variant("L"),
        Variant("RGB", {"subsampling": 0, "comment": b"hello"}), Variant("CMYK"),
        Variant("RGB", {"format": "MPO"}, frames=2),
    ),
    "PNG": (
        Variant("RGB"), Variant("RGBA"), Variant("P"), Variant("L"), Variant("LA"), Variant("1"),
        Variant("P", {"transparency": bytes([0, 99, 255])}), Variant("I;16", plain=False), Variant("RGB", frames=3),
    ),
    "WEBP": (Variant("RGB"), Variant("RGBA", {"lossless": True}), Variant("RGB", frames=3)),
    "BMP": (Variant("RGB"), Variant("P"), Variant("L"), Variant("RGBA"), Variant("1")),
    "GIF": (
        Variant("P"), Variant("L"), Variant("P", {"transparency": 3}), Variant("P", {"interlace": False}, frames=3),
    ),
    "TIFF": (
        Variant("RGB"), Variant("RGB", {"compression": "tiff_lzw"}),
        Variant("RGB", {"compression": "tiff_adobe_deflate"}), Variant("RGB", {"compression": "packbits"}),
        Variant("RGB", {"compression": "jpeg"}), Variant("1", {"compression": "group4"}),
        Variant("CMYK"), Variant("P"), Variant("RGBA"), Variant("RGB", {"big_tiff": True}), Variant("RGB", frames=2),
        Variant("I;16", plain=False), Variant("F", plain=False),
    ),
    "HEIC": (
        Variant("RGB"), Variant("RGBA"), Variant("L"), Variant("RGB", {"tile_size": 64}),
        Variant("RGB", {"quality": -1, "chroma": 444}), Variant("RGB", frames=2),
    ),
    "AVIF": (Variant("RGB"), Variant("RGBA"), Variant("L"), Variant("RGB", {"quality": 100}), Variant("RGB", frames=3)),
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A valid file. `plain` if Pillow alone shows its colours correctly."""

    format: str
    data: bytes
    plain: bool


def draw_source(rng: np.random.Generator, kind: str, large: bool = False) -> Source:
    """Draw a photograph, a variant of the format and, where the format has EXIF, an orientation."""
    at = int(rng.integers(len(VARIANTS[kind])))
    turn = int(rng.integers(9)) if kind in EXIF_FORMATS else 0
    return Source(kind, encode_photograph(kind, at, str(rng.choice(_PHOTOS)), turn, large), VARIANTS[kind][at].plain)


def draw_bare_source(rng: np.random.Generator, kind: str) -> Source:
    """Draw a photograph in the first variant of the format, without metadata."""
    return Source(kind, encode_photograph(kind, 0, str(rng.choice(_PHOTOS)), 0), plain=True)


@lru_cache(maxsize=512)
def encode_photograph(kind: str, index: int, photo: str, turn: int, large: bool = False) -> bytes:
    """Encode a photograph; `turn` is the EXIF orientation, 0 for no EXIF."""
    variant = VARIANTS[kind][index]
    picture = load_photograph(photo, large)
    frames = [_convert_mode(picture.rotate(30 * number), variant.mode) for number in range(variant.frames)]
    exif = {"exif": _build_exif(turn)} if turn else {}
    moving = {"save_all": True, "append_images": frames[1:]} if variant.frames > 1 else {}
    return encode_picture(frames[0], kind, **{**variant.options, **exif, **moving})


def encode_picture(picture: Image.Image, kind: str, **options: object) -> bytes:
    """Encode a picture in this format; an option `format` takes precedence."""
    form = str(options.pop("format", kind))
    out = BytesIO()
    if form == "HEIC":
        file = pillow_heif.from_pillow(picture)
        for frame in options.pop("append_images", ()):  # type: ignore[attr-defined]
            file.add_from_pillow(frame)
        file.save(out, primary_index=0, **options)
        return out.getvalue()
    # A copy, because Pillow leaves its settings on what it saves.
    picture.copy().save(out, form, **options)
    return out.getvalue()


@lru_cache(maxsize=32)
def load_photograph(name: str, large: bool = False) -> Image.Image:
    """Load a sample picture, small or larger than what is stored."""
    return SAMPLES.get(name).load().resize(_LARGE if large else _SMALL)


def _build_exif(turn: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = turn, "a camera"
    return exif


def _convert_mode(picture: Image.Image, mode: str) -> Image.Image:
    if mode == "P":
        return picture.quantize(64)
    if mode == "I;16":
        return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    converted = picture.convert(mode)
    if mode.endswith("A"):
        converted.putalpha(Image.linear_gradient("L").resize(picture.size))
    return converted
