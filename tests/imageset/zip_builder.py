"""Small pictures and zips for the tests of sets, and zips that lie."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Literal

import numpy as np
from PIL import Image

from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.sets.uploaded import read_zip

CENTRAL = b"PK\x01\x02"
FIELDS = {
    "flags": (8, "<H"),
    "method": (10, "<H"),
    "crc": (16, "<I"),
    "packed": (20, "<I"),
    "size": (24, "<I"),
    "links": (38, "<I"),
    "offset": (42, "<I"),
}
"""Place and format of the fields of a member's entry in the directory (PKWARE, APPNOTE 4.3.12)."""
LINK_MODE = 0o120777 << 16

Kind = Literal["PNG", "JPEG", "BMP", "WEBP"]


def picture(colour: tuple[int, ...] = (200, 30, 30), size: tuple[int, int] = (16, 12), kind: Kind = "PNG") -> bytes:
    """A picture file of one colour; four numbers give it transparency."""
    return encode_picture(Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour), kind)


def encode_picture(image: Image.Image, kind: Kind = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def noise(seed: int, side: int = 16) -> bytes:
    """A picture file unlike any of another seed."""
    return encode_picture(
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))
    )


def pack_zip(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def lying(data: bytes, number: int, **fields: int) -> bytes:
    """The zip with the directory's entry of the member of this number saying something else."""
    out, at = bytearray(data), -1
    for _ in range(number + 1):
        at = data.index(CENTRAL, at + 1)
    for name, value in fields.items():
        place, form = FIELDS[name]
        struct.pack_into(form, out, at + place, value)
    return bytes(out)


PETS = {
    "pets/dogs/rex.png": picture(),
    "pets/dogs/bello.jpg": picture(kind="JPEG"),
    "pets/cats/mia.png": picture((9, 9, 200)),
}


def read(data: bytes, name: str = "pets.zip") -> ImageSet:
    """Read the bytes of a zip as an upload."""
    return read_zip(io.BytesIO(data), name)


def labels(dataset: ImageSet) -> list[str]:
    """Return the label of each picture in words, "" where it has none."""
    return [dataset.classes[label] if label >= 0 else "" for label in dataset.labels]
