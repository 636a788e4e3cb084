"""Colours of decoded pictures as a screen shows them: profiles, codes of primaries, and the gamma of a PNG.

A PNG with a gamma and neither a profile nor codes is shown by browsers as the gamma says (W3C PNG, 13.13), so the model
gets it so, too: it sees what the visitor sees. A file whose gamma is 1/2.2, or that is marked as sRGB, stays as it is.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from xai_core.arrays import Float32
from xai_core.formatting import number
from xai_core.images.formats.headers import read_png_chunk

Picture = Image.Image

_SCREEN_GAMMA = 1 / 2.2
# A gamma this near to a screen's is meant to be it; one outside of the range is a writer's mistake.
_GAMMA_TOLERANCE, _GAMMA_RANGE = 0.05, (0.1, 10.0)
# Codes of ITU-T H.273: primaries to the matrix that gives linear sRGB.
_P3 = ((1.22494, -0.22494, 0.0), (-0.04206, 1.04206, 0.0), (-0.01964, -0.07864, 1.09827))
_BT2020 = ((1.66049, -0.58764, -0.07285), (-0.12455, 1.13290, -0.00835), (-0.01815, -0.10058, 1.11873))
_MATRICES = {9: _BT2020, 11: _P3, 12: _P3}
_PQ, _HLG = 16, 18
# White of a page in each of the two, as a share of their brightest (ITU-R BT.2408).
_PQ_WHITE, _HLG_WHITE = 203 / 10_000, 0.265


def to_simple_mode(picture: Picture) -> Picture:
    """Return the picture as L, RGB, CMYK or RGBA with 8 bits a channel."""
    if picture.has_transparency_data:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def to_srgb(picture: Picture, profile: object) -> Picture:
    """Return RGB as a screen shows it: a sound colour profile that fits the mode is applied, any other ignored."""
    kinds = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
    if isinstance(profile, bytes) and profile[16:20] == kinds[picture.mode]:
        try:
            source, screen = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            return ImageCms.buildTransform(source, screen, picture.mode, "RGB").apply(picture)
        except (ImageCms.PyCMSError, ImportError, OSError, TypeError, ValueError):
            pass
    return picture.convert("RGB")


def read_png_codes(data: bytes) -> tuple[int, int] | None:
    """Return the codes of primaries and transfer that a PNG states."""
    codes = read_png_chunk(data, b"cICP")
    return (codes[0], codes[1]) if codes and len(codes) >= 2 else None


def from_codes(picture: Picture, codes: tuple[int, int] | None) -> Picture:
    """Return an RGB picture of these primaries and transfer as sRGB; brighter than a page's white becomes white."""
    primaries, transfer = codes or (1, 13)
    if primaries not in _MATRICES and transfer not in (_PQ, _HLG):
        return picture
    signal: Float32 = np.asarray(picture.convert("RGB"), dtype=np.float32) / np.float32(255)
    linear = _to_light(signal, transfer)
    if primaries in _MATRICES:
        linear = linear @ np.array(_MATRICES[primaries], dtype=np.float32).T
    linear = linear.clip(0, 1)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return Image.fromarray(np.rint(encoded * 255).astype(np.uint8))


def _to_light(signal: Float32, transfer: int) -> Float32:
    """Return light, 1 for a page's white, of a signal of 0 to 1 (SMPTE ST 2084, ARIB STD-B67, else sRGB)."""
    if transfer == _PQ:
        root = signal ** (1 / 78.84375)
        ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        return np.asarray(ratio ** (1 / 0.1593017578125) / _PQ_WHITE, dtype=np.float32)
    if transfer == _HLG:
        light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)
        return np.asarray(light / _HLG_WHITE, dtype=np.float32)
    return np.asarray(np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4), dtype=np.float32)


def read_gamma(data: bytes) -> float | None:
    """Return the gamma that a PNG is to be shown with, None for a screen's own."""
    chunk = read_png_chunk(data, b"gAMA")
    if chunk is None or len(chunk) != 4 or any(read_png_chunk(data, kind) for kind in (b"sRGB", b"iCCP", b"cICP")):
        return None
    gamma = int.from_bytes(chunk, "big") / 100_000
    is_usual = abs(gamma / _SCREEN_GAMMA - 1) <= _GAMMA_TOLERANCE
    return gamma if _GAMMA_RANGE[0] <= gamma <= _GAMMA_RANGE[1] and not is_usual else None


def apply_gamma(picture: Picture, gamma: float) -> tuple[Picture, str]:
    """Return an L, RGB or RGBA picture as a screen shows this gamma, and a note."""
    table = [round(255 * (level / 255) ** (_SCREEN_GAMMA / gamma)) for level in range(256)]
    bands = picture.getbands()
    lookup = [level for band in bands for level in (range(256) if band == "A" else table)]
    change = "lighter" if gamma > _SCREEN_GAMMA else "darker"
    note = f"This PNG asks to be shown {change} (gamma {number(gamma)}), as browsers do, so that was done."
    return picture.point(lookup), note
