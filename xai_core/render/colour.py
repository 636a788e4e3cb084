"""Palettes and scales: the one place that decides how a number becomes a colour.

Every palette is two lookup tables, one for signed maps and one for maps without a sign. Colours are mixed in Oklab
(B. Ottosson, "A perceptual color space for image processing", 2020), where equal steps look equal. In every table zero is
fully transparent, so a place without evidence shows the photograph and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Bytes = npt.NDArray[np.uint8]
Lch = tuple[float, float, float]
"""Lightness 0..1, chroma, hue in degrees."""

ROBUST_PERCENTILE = 98.0
"""Full colour starts here, as in most displays of attributions: a few runaway pixels of a gradient map must not hide all others."""

_LMS_FROM_LAB = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_RGB_FROM_LMS = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


@dataclass(frozen=True, eq=False)
class Palette:
    """A name, its words on the page and two read-only uint8 tables of shape (256, 4), red green blue alpha.

    `signed`: row 128 + 127·v for v in -1..1; row 0 is kept for "no number here" and is transparent. `unsigned`: row 255·v for v in 0..1.
    """

    name: str
    title: str
    signed: Bytes
    unsigned: Bytes


def srgb_from_oklab(lab: Floats) -> Floats:
    """sRGB in 0..1, (N, 3), of Oklab colours (N, 3); values outside the gamut are cut."""
    linear = np.clip((lab @ _LMS_FROM_LAB.T) ** 3 @ _RGB_FROM_LMS.T, 0.0, 1.0)
    rgb: Floats = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb


def oklab_from_srgb(rgb: Floats) -> Floats:
    """Oklab (N, 3) of sRGB in 0..1, (N, 3)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lab: Floats = np.cbrt(linear @ np.linalg.inv(_RGB_FROM_LMS).T) @ np.linalg.inv(_LMS_FROM_LAB).T
    return lab


def _lab(points: Iterable[Lch]) -> Floats:
    return np.array(
        [
            (light, chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue)))
            for light, chroma, hue in points
        ]
    )


def _even_path(points: Iterable[Lch], at: Floats) -> Floats:
    """Oklab colours (len(at), 3) along the line through `points`, where equal differences of `at` (0..1) are equal distances."""
    corners = _lab(points)
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    return np.stack([np.interp(at * lengths[-1], lengths, corners[:, axis]) for axis in range(3)], axis=1)


def _table(lab: Floats, alpha: Floats) -> Bytes:
    rgba = np.concatenate([srgb_from_oklab(lab), alpha[:, None]], axis=1)
    table: Bytes = np.round(rgba * 255).astype(np.uint8)
    table.flags.writeable = False
    return table


_SIGNED_AT = np.concatenate([[0.0], np.arange(-127, 128) / 127])
_UNSIGNED_AT = np.arange(256) / 255


def _diverging(name: str, title: str, against: tuple[Lch, ...], towards: tuple[Lch, ...]) -> Palette:
    """Two arms from zero, each from pale to deep; opacity is |value| itself. Maps without a sign use the arm "for"."""
    strength = np.abs(_SIGNED_AT)
    arms = np.where(_SIGNED_AT[:, None] < 0, _even_path(against, strength), _even_path(towards, strength))
    return Palette(name, title, _table(arms, strength), _table(_even_path(towards, _UNSIGNED_AT), _UNSIGNED_AT))


def _sequential(name: str, title: str, path: tuple[Lch, ...]) -> Palette:
    """From dark to bright in even steps. Signed maps: dark is against, bright is for, zero in between is transparent."""
    signed = _table(_even_path(path, (_SIGNED_AT + 1) / 2), np.minimum(1, 2 * np.abs(_SIGNED_AT)))
    return Palette(name, title, signed, _table(_even_path(path, _UNSIGNED_AT), np.minimum(1, 4 * _UNSIGNED_AT)))


DEFAULT_PALETTE = "orange_blue"
PALETTES: Mapping[str, Palette] = MappingProxyType(
    {
        palette.name: palette
        for palette in (
            _diverging(
                "orange_blue",
                "Orange and blue",
                ((0.80, 0.09, 248), (0.62, 0.16, 253)),
                ((0.80, 0.12, 65), (0.62, 0.17, 45)),
            ),
            _diverging(
                "purple_green",
                "Purple and green",
                ((0.80, 0.10, 155), (0.56, 0.14, 150)),
                ((0.80, 0.09, 315), (0.56, 0.20, 315)),
            ),
            _sequential(
                "even",
                "Dark to bright, in even steps",
                ((0.30, 0.12, 300), (0.45, 0.10, 262), (0.60, 0.10, 205), (0.75, 0.15, 150), (0.92, 0.17, 105)),
            ),
            _sequential("grey", "Black to white", ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))),
        )
    }
)


def scale_of(heatmap: Floats) -> float:
    """The value at which full colour starts: the 98th percentile of |value| over the finite places.

    The largest |value| where that percentile is zero (a map with very few places), and 0.0 where there is nothing but zeros.
    """
    finite = np.abs(heatmap[np.isfinite(heatmap)]).astype(np.float64)
    if finite.size == 0:
        return 0.0
    return float(np.percentile(finite, ROBUST_PERCENTILE)) or float(finite.max())


def normalise(heatmap: Floats, scale: float | None = None) -> tuple[Floats, float]:
    """(values in -1..1 as float64 with NaN where the map has no number, the scale used). The map itself stays as it is.

    Values beyond the scale are cut to full colour. A map of zeros stays zeros; any other constant map is one even colour.
    """
    used = scale_of(heatmap) if scale is None else float(scale)
    values = np.where(np.isfinite(heatmap), heatmap, np.nan).astype(np.float64)
    return (np.clip(values / used, -1.0, 1.0) if used > 0 else values * 0.0), used


def colourise(values: Floats, palette: str = DEFAULT_PALETTE, *, signed: bool = True) -> Bytes:
    """RGBA (H, W, 4) of values in -1..1; places without a number are transparent."""
    chosen = PALETTES[palette]
    known = np.isfinite(values)
    safe = np.where(known, values, 0.0)
    rows = 128 + np.round(safe * 127) if signed else np.round(np.clip(safe, 0, 1) * 255)
    rgba = (chosen.signed if signed else chosen.unsigned)[rows.astype(np.intp)]
    rgba[~known] = 0
    return rgba
