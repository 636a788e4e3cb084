"""Results and pictures to bytes and back: NPZ, JSON, PNG and a SHA-256 over all of it. No pickle.

A disk may return anything: whatever is not exactly what was written is None, never an exception.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

# By name: Pillow else looks for the plugin when it is first used.
from PIL import Image, PngImagePlugin  # noqa: F401

from xai_core.arrays import Float32
from xai_core.results import Attribution, attribution_from_json, to_json

# Exceptions of NumPy, zipfile, json and Pillow on foreign bytes.
_BROKEN = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    Image.DecompressionBombError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Packed:
    """A result on disk: JSON, NPZ and the SHA-256 of its key and both."""

    about: bytes
    values: bytes
    sha256: bytes


@dataclass(frozen=True)
class PackedImage:
    """A picture on disk: PNG and its SHA-256."""

    png: bytes
    sha256: bytes


@dataclass(frozen=True)
class PackedShare:
    """A short link on disk: JSON and the SHA-256 of its code and it; both empty for a deleted one."""

    about: bytes
    sha256: bytes


def pack(key: str, attribution: Attribution) -> Packed:
    """Return a result as bytes."""
    text = json.dumps(to_json(attribution)).encode()
    buffer = io.BytesIO()
    save = np.savez_compressed if _is_repetitive(attribution.values) else np.savez
    save(buffer, values=attribution.values)
    return Packed(text, buffer.getvalue(), _digest(key.encode(), text, buffer.getvalue()))


def _is_repetitive(values: Float32) -> bool:
    """Return whether half of the neighbours are equal: such maps pack to a hundredth, fine ones to 93 % in 100 ms."""
    return int(np.count_nonzero(values[..., 1:] == values[..., :-1])) * 2 > values.size


def unpack(key: str, packed: Packed) -> Attribution | None:
    """Return the result packed under this key, or None if a single bit of it differs."""
    try:
        if _digest(key.encode(), packed.about, packed.values) != packed.sha256:
            return None
        with np.load(io.BytesIO(packed.values), allow_pickle=False) as archive:
            values = archive["values"]
        return attribution_from_json(values, json.loads(packed.about)) if values.dtype == np.float32 else None
    except _BROKEN:
        return None


def pack_picture(image: Image.Image) -> PackedImage:
    """Return the pixels alone as PNG, without the metadata of a photograph."""
    rgb = image.convert("RGB")
    buffer = io.BytesIO()
    Image.frombytes("RGB", rgb.size, rgb.tobytes()).save(buffer, "PNG", compress_level=1)
    return PackedImage(buffer.getvalue(), _digest(buffer.getvalue()))


def unpack_picture(packed: PackedImage) -> Image.Image | None:
    """Return the RGB picture, or None if a single bit of it differs."""
    try:
        if _digest(packed.png) != packed.sha256:
            return None
        return Image.open(io.BytesIO(packed.png), formats=("PNG",)).convert("RGB")
    except _BROKEN:
        return None


def pack_share(code: str, about: bytes) -> PackedShare:
    """Return the JSON of a short link with its sum."""
    return PackedShare(about, _digest(code.encode(), about))


def unpack_share(code: str, packed: PackedShare) -> dict[str, Any] | None:
    """Return what is known about a short link, or None if a single bit of it differs."""
    try:
        if _digest(code.encode(), packed.about) != packed.sha256:
            return None
        about = json.loads(packed.about)
        return about if isinstance(about, dict) else None
    except _BROKEN:
        return None


def _digest(*parts: bytes) -> bytes:
    """Return the SHA-256 of the parts and their lengths."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
