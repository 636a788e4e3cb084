"""Textures and colours that fill a picture: each texture in random colours, each colour on random textures."""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from xai_core.arrays import Float64
from xai_core.inside.concepts.kit import KITS, ConceptKit

SIDE = 224
# Hue as a share of the colour circle, with its spread.
_HUES: Mapping[str, tuple[float, float]] = {
    "red": (0.0, 0.02),
    "orange": (0.085, 0.02),
    "yellow": (0.155, 0.02),
    "green": (0.34, 0.06),
    "blue": (0.61, 0.05),
}
_Texture = Callable[[np.random.Generator], Float64]


def _stripe(angle: float) -> _Texture:
    """Return a texture of stripes, at this many degrees from upright."""

    def draw(rng: np.random.Generator) -> Float64:
        rows, columns = np.mgrid[:SIDE, :SIDE]
        turn = np.deg2rad(angle + rng.uniform(-10, 10))
        phase = (columns * np.cos(turn) + rows * np.sin(turn)) / rng.uniform(10, 40) + rng.uniform()
        return np.asarray(np.clip(3 * np.sin(2 * np.pi * phase), -1, 1) / 2 + 0.5)

    return draw


def _draw_dots(rng: np.random.Generator) -> Float64:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    period = rng.uniform(16, 48)
    down, along = ((axis + rng.uniform(0, period)) % period - period / 2 for axis in (rows, columns))
    return np.asarray(np.clip(period * rng.uniform(0.25, 0.38) - np.hypot(down, along), -0.5, 0.5) + 0.5)


def _draw_checks(rng: np.random.Generator) -> Float64:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    side, (down, along) = rng.uniform(10, 36), rng.uniform(0, 99, 2)
    return np.asarray((((rows + down) // side + (columns + along) // side) % 2).astype(np.float64))


def _draw_clouds(rng: np.random.Generator) -> Float64:
    values = gaussian_filter(rng.normal(size=(SIDE, SIDE)), rng.uniform(8, 24), mode="wrap")
    return np.asarray((values - values.min()) / np.ptp(values))


def _draw_grain(rng: np.random.Generator) -> Float64:
    values = gaussian_filter(rng.normal(size=(SIDE, SIDE)), rng.uniform(0.5, 1.5), mode="wrap")
    return np.asarray(np.clip(values / (4 * values.std()) + 0.5, 0, 1))


_TEXTURES: Mapping[str, _Texture] = {
    "upright_stripes": _stripe(0),
    "level_stripes": _stripe(90),
    "slanting_stripes": _stripe(45),
    "dots": _draw_dots,
    "checks": _draw_checks,
    "clouds": _draw_clouds,
    "grain": _draw_grain,
}


def _choose_colour(rng: np.random.Generator, hue: str | None, dark: bool) -> Float64:
    """Return red, green and blue, 0 to 1: of a hue, or of any."""
    centre, spread = _HUES[hue] if hue else (rng.uniform(), 0.0)
    low, high = (0.25, 0.6) if dark else (0.7, 1.0)
    saturation = rng.uniform(0.65, 1.0) if hue else rng.uniform(0.0, 1.0)
    return np.array(colorsys.hsv_to_rgb((centre + rng.normal() * spread / 2) % 1, saturation, rng.uniform(low, high)))


def draw_texture(concept: str, number: int, seed: int) -> Image.Image:
    """Return a picture of SIDE x SIDE pixels: a texture between a light and a dark colour."""
    rng = np.random.default_rng([seed, number, zlib.crc32(concept.encode())])
    hue = concept if concept in _HUES else None
    # A colour must not come with one texture.
    texture = rng.choice(list(_TEXTURES)) if hue else concept
    amount = _TEXTURES[texture](rng)[..., None]
    # Dark on light as often as light on dark.
    if rng.uniform() < 0.5:
        amount = 1 - amount
    light, dark = _choose_colour(rng, hue, dark=False), _choose_colour(rng, hue, dark=True)
    return Image.fromarray(np.rint(255 * (amount * light + (1 - amount) * dark)).astype(np.uint8))


KITS.add(
    ConceptKit(
        name="textures",
        title="Textures and colours",
        about="Pictures filled with one texture in any colours, or with one colour on any texture.",
        channels=3,
        titles={
            "upright_stripes": "upright stripes",
            "level_stripes": "level stripes",
            "slanting_stripes": "slanting stripes",
            "dots": "dots",
            "checks": "checks",
            "clouds": "soft clouds",
            "grain": "fine grain",
            "red": "red",
            "orange": "orange",
            "yellow": "yellow",
            "green": "green",
            "blue": "blue",
        },
        draw=draw_texture,
    )
)
