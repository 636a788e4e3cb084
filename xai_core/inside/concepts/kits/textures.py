"""Patterns and colours that fill a picture: each pattern in any two colours, each colour in any pattern.

They are those of the labelled pictures (`inside/probes`), so that ideas and concepts of one name are the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from xai_core.arrays import Float64
from xai_core.inside.concepts.kit import KITS, ConceptKit
from xai_core.inside.probes.generated import COLOURS, NOISE
from xai_core.inside.probes.patterns import PATTERNS

SIDE = 224
# Pixels from one stripe to the next, and from one grain to the next.
_PERIODS, _GRAINS = (10.0, 44.0), (2, 9)
_SHADE = 25.0
# Black and white are no colours to fill a picture with: nothing would be left of the pattern.
_HUES = tuple(name for name in COLOURS if name not in ("black", "white"))


def _draw_pattern(name: str, rng: np.random.Generator) -> Float64:
    """Return how much of the first of two colours each pixel has, (SIDE, SIDE), 0 to 1."""
    if name == NOISE:
        grain = int(rng.integers(*_GRAINS))
        values = rng.uniform(0, 1, (SIDE // grain + 1, SIDE // grain + 1)).repeat(grain, 0).repeat(grain, 1)
        return np.asarray(values[:SIDE, :SIDE])
    pixels, (down, along) = np.arange(SIDE, dtype=np.float64), rng.uniform(0, SIDE, 2)
    marked = PATTERNS[name](pixels[:, None] + down, pixels[None] + along, rng.uniform(*_PERIODS))
    return np.broadcast_to(marked, (SIDE, SIDE)).astype(np.float64)


def _choose_colours(names: Sequence[str], rng: np.random.Generator) -> Float64:
    """Return two colours (2, 3) of these names, each in a shade of its own."""
    chosen = [COLOURS[str(name)] for name in rng.choice(list(names), 2, replace=len(names) == 1)]
    return np.asarray(np.array(chosen, dtype=np.float64) + rng.uniform(-_SHADE, _SHADE, (2, 3)))


def draw_texture(concept: str, number: int, seed: int) -> Image.Image:
    """Return a picture of SIDE x SIDE pixels: one pattern between two colours, or between two shades of one."""
    rng = np.random.default_rng([seed, number, zlib.crc32(concept.encode())])
    is_colour = concept in COLOURS
    # A colour must not come with one pattern.
    pattern = str(rng.choice([*PATTERNS, NOISE])) if is_colour else concept
    amount = _draw_pattern(pattern, rng)[..., None]
    first, second = _choose_colours([concept] if is_colour else list(COLOURS), rng)
    if is_colour:
        # Without a lighter and a darker shade the pattern would hardly be seen.
        second = second * rng.uniform(0.45, 0.8)
    return Image.fromarray(np.clip(np.rint(amount * first + (1 - amount) * second), 0, 255).astype(np.uint8))


KITS.add(
    ConceptKit(
        name="textures",
        title="Patterns and colours",
        about="Pictures filled with one pattern in any two colours, or with one colour in any pattern.",
        channels=3,
        titles={name: name for name in (*PATTERNS, NOISE, *_HUES)},
        draw=draw_texture,
    )
)
