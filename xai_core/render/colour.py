"""Palettes and scales: the one place that decides how a number becomes a colour.

Every palette is two lookup tables, one for signed maps and one for maps without a sign. Colours are mixed in Oklab
(B. Ottosson, "A perceptual color space for image processing", 2020), where equal steps look equal. In every table
zero is fully transparent, so a place without evidence shows the photograph and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from xai_core.arrays import Float, UInt8

# Lightness 0..1, chroma, hue in degrees.
Lch = tuple[float, float, float]

# Full colour starts here, as usual for attributions: a few extreme pixels must not hide all others.
ROBUST_PERCENTILE = 98.0

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

    `signed`: row 128 + 127·v for v in -1..1; row 0 means "no number here" and is transparent. `unsigned`: row 255·v for
    v in 0..1.
    """

    name: str
    title: str
    towards: str
    """Word for the colour of evidence for, such as "orange"."""
    against: str
    signed: UInt8
    unsigned: UInt8


def srgb_from_oklab(lab: Float) -> Float:
    """Return sRGB in 0..1, (N, 3), of Oklab colours (N, 3); values outside the gamut are clipped."""
    linear = np.clip((lab @ _LMS_FROM_LAB.T) ** 3 @ _RGB_FROM_LMS.T, 0.0, 1.0)
    rgb: Float = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb


def lab_from_lch(points: Iterable[Lch]) -> Float:
    return np.array(
        [
            (light, chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue)))
            for light, chroma, hue in points
        ]
    )


def interpolate_evenly(points: Iterable[Lch], at: Float) -> Float:
    """Return Oklab colours (len(at), 3) on the line through `points`, equally spaced for equal steps of `at` (0..1)."""
    corners = lab_from_lch(points)
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    return np.stack([np.interp(at * lengths[-1], lengths, corners[:, axis]) for axis in range(3)], axis=1)


def build_table(lab: Float, alpha: Float) -> UInt8:
    rgba = np.concatenate([srgb_from_oklab(lab), alpha[:, None]], axis=1)
    table: UInt8 = np.round(rgba * 255).astype(np.uint8)
    table.flags.writeable = False
    return table


_SIGNED_AT = np.concatenate([[0.0], np.arange(-127, 128) / 127])
_UNSIGNED_AT = np.arange(256) / 255


def diverging_palette(
    name: str, title: str, words: tuple[str, str], against: tuple[Lch, ...], towards: tuple[Lch, ...]
) -> Palette:
    """Return a palette of two arms from zero, pale to deep; opacity is |value|. Unsigned maps use the arm "for"."""
    strength = np.abs(_SIGNED_AT)
    arms = np.where(
        _SIGNED_AT[:, None] < 0, interpolate_evenly(against, strength), interpolate_evenly(towards, strength)
    )
    return Palette(
        name,
        title,
        *words,
        build_table(arms, strength),
        build_table(interpolate_evenly(towards, _UNSIGNED_AT), _UNSIGNED_AT),
    )


def sequential_palette(name: str, title: str, words: tuple[str, str], path: tuple[Lch, ...]) -> Palette:
    """Return a palette from dark (against) to bright (for) in even steps, transparent at zero."""
    signed = build_table(interpolate_evenly(path, (_SIGNED_AT + 1) / 2), np.minimum(1, 2 * np.abs(_SIGNED_AT)))
    return Palette(
        name,
        title,
        *words,
        signed,
        build_table(interpolate_evenly(path, _UNSIGNED_AT), np.minimum(1, 4 * _UNSIGNED_AT)),
    )


DEFAULT_PALETTE = "orange_blue"
PALETTES: Mapping[str, Palette] = MappingProxyType(
    {
        palette.name: palette
        for palette in (
            diverging_palette(
                "orange_blue",
                "Orange and blue",
                ("orange", "blue"),
                ((0.80, 0.09, 248), (0.62, 0.16, 253)),
                ((0.80, 0.12, 65), (0.62, 0.17, 45)),
            ),
            diverging_palette(
                "purple_green",
                "Purple and green",
                ("purple", "green"),
                ((0.80, 0.10, 155), (0.56, 0.14, 150)),
                ((0.80, 0.09, 315), (0.56, 0.20, 315)),
            ),
            sequential_palette(
                "even",
                "Dark to bright, in even steps",
                ("bright", "dark"),
                ((0.30, 0.12, 300), (0.45, 0.10, 262), (0.60, 0.10, 205), (0.75, 0.15, 150), (0.92, 0.17, 105)),
            ),
            sequential_palette("grey", "Black to white", ("white", "black"), ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))),
        )
    }
)


def scale_of(heatmap: Float) -> float:
    """Return the value at which full colour starts: the 98th percentile of |value| over finite places.

    The largest |value| where that percentile is zero (a map with very few places), 0.0 for nothing but zeros.
    """
    finite = np.abs(heatmap[np.isfinite(heatmap)]).astype(np.float64)
    if finite.size == 0:
        return 0.0
    return float(np.percentile(finite, ROBUST_PERCENTILE)) or float(finite.max())


def normalise(heatmap: Float, scale: float | None = None) -> tuple[Float, float]:
    """Return (values in -1..1 as float64, NaN where the map has no number; the scale).

    Values beyond the scale are cut to full colour. A map of zeros stays zeros; another
    constant map is one even colour.
    """
    used = scale_of(heatmap) if scale is None else float(scale)
    values = np.where(np.isfinite(heatmap), heatmap, np.nan).astype(np.float64)
    return (np.clip(values / used, -1.0, 1.0) if used > 0 else values * 0.0), used


def colorize(values: Float, palette: str = DEFAULT_PALETTE, *, signed: bool = True) -> UInt8:
    """Return RGBA (H, W, 4) of values in -1..1; places without a number are transparent."""
    chosen = PALETTES[palette]
    known = np.isfinite(values)
    safe = np.where(known, values, 0.0)
    rows = 128 + np.round(safe * 127) if signed else np.round(np.clip(safe, 0, 1) * 255)
    rgba = (chosen.signed if signed else chosen.unsigned)[rows.astype(np.intp)]
    rgba[~known] = 0
    return rgba
