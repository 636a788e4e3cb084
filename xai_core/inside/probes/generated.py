"""A probe drawn from a seed: coloured shapes with patterns, lines as in digits, and edges, each pixel labelled.

A label says what a pixel really shows: in red stripes on black, the red pixels are red, the black ones black, and all
of them stripes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial

import numpy as np
from PIL import Image

from xai_core.arrays import Bool, Float32, Float64, UInt8
from xai_core.inside.probes.patterns import PATTERNS, SHAPES, STROKES
from xai_core.inside.probes.probe import ConceptProbe, LazySequence, make_key
from xai_core.params import check_seed

# Part of every key; raised when the same seed would give other pictures.
VERSION = 1
SIDE = 224
PICTURES, HELD_OUT = 600, 200
COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (214, 40, 40),
    "orange": (240, 140, 30),
    "yellow": (238, 215, 50),
    "green": (50, 160, 70),
    "blue": (40, 90, 210),
    "purple": (140, 60, 180),
    "white": (245, 245, 245),
    "black": (14, 14, 14),
}
NOISE = "noise"
EDGES = ("vertical edge", "horizontal edge")
GENERATED_CONCEPTS = (*COLOURS, *PATTERNS, NOISE, *SHAPES, *EDGES, *STROKES)
_ROWS = {name: row for row, name in enumerate(GENERATED_CONCEPTS)}
_CELLS, _OBJECTS, _LINES = 3, 4, 2
# Radii to which a shape may reach from its middle.
_REACH = 1.15
# Steps of brightness across an edge, in grey levels, and how far from upright it may lean.
_MIN_STEP, _MAX_LEAN = 24.0, 0.3
_PATTERN_SHARE = 0.55
# Seeds of held-out pictures are far from those of the others.
_HELD_OUT_START = 10**6


def draw_probe(count: int = PICTURES, seed: int = 0, held_out: int = HELD_OUT) -> ConceptProbe:
    """Return a probe of `count` pictures of 26 concepts, with `held_out` others to test labels on (0: none).

    Pictures are drawn as they are read: the same seed gives the same bytes, whatever the count.

    >>> probe = draw_probe(20)
    >>> probe.pictures[0].size, probe.masks[0].shape
    ((224, 224), (26, 224, 224))
    """
    seed = check_seed(seed)
    rest = _draw(held_out, seed, _HELD_OUT_START, None) if held_out else None
    return _draw(count, seed, 0, rest)


def _draw(count: int, seed: int, start: int, held_out: ConceptProbe | None) -> ConceptProbe:
    scene = partial(_draw_scene, seed)
    return ConceptProbe(
        pictures=LazySequence(count, lambda number: Image.fromarray(scene(start + number)[0])),
        masks=LazySequence(count, lambda number: np.unpackbits(scene(start + number)[1], axis=-1).view(np.bool_)),
        concepts=GENERATED_CONCEPTS,
        held_out=held_out,
        title="patterns, colours and shapes drawn from a seed",
        key=make_key("generated", VERSION, count, seed, start, None if held_out is None else held_out.key),
    )


# A picture and its masks are read one after the other.
@lru_cache(maxsize=8)
def _draw_scene(seed: int, number: int) -> tuple[UInt8, UInt8]:
    """Return a picture (side, side, 3) and its masks as bits (K, side, side / 8)."""
    rng = np.random.default_rng([VERSION, seed, number])
    canvas, masks = _draw_background(rng), np.zeros((len(GENERATED_CONCEPTS), SIDE, SIDE), dtype=np.bool_)
    cells = rng.permutation(_CELLS**2)
    for cell in cells[:_OBJECTS]:
        _add_object(canvas, masks, rng, int(cell))
    for cell in cells[_OBJECTS : _OBJECTS + _LINES]:
        _add_line(canvas, masks, rng, int(cell))
    picture = np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
    _label_edges(picture, masks)
    return picture, np.packbits(masks, axis=-1)


def _draw_background(rng: np.random.Generator) -> Float32:
    """Return a soft grey ground (side, side, 3): none of the labelled colours."""
    waves = Image.fromarray(rng.normal(0, 1, (6, 6)).astype(np.float32)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    grain = rng.normal(0, 2, (SIDE, SIDE)).astype(np.float32)
    grey = np.float32(rng.uniform(95, 165)) + 12 * np.asarray(waves) + grain
    ground: Float32 = grey[:, :, None] + rng.uniform(-5, 5, 3).astype(np.float32)
    return ground


def _place(
    canvas: Float32, masks: Bool, rng: np.random.Generator, cell: int, radius: float
) -> tuple[Float32, Bool, Float64, Float64]:
    """Return canvas and masks around a point of the cell, as views, and each pixel's distance down and right of it."""
    size = SIDE / _CELLS
    free = max(size / 2 - 1.1 * radius, 0.0)
    centre: list[float] = [size * (place + 0.5) + rng.uniform(-free, free) for place in divmod(cell, _CELLS)]
    rows, columns = (slice(max(int(at - _REACH * radius), 0), int(at + _REACH * radius) + 2) for at in centre)
    pixels = np.arange(SIDE) + 0.5
    down, right = (
        np.asarray(pixels[part] - at, dtype=np.float64) for part, at in zip((rows, columns), centre, strict=True)
    )
    return canvas[rows, columns], masks[:, rows, columns], down[:, None], right[None]


def _add_object(canvas: Float32, masks: Bool, rng: np.random.Generator, cell: int) -> None:
    """Draw a shape in one colour, in a pattern of two, or in noise."""
    name, radius = str(rng.choice(list(SHAPES))), rng.uniform(19, 27)
    canvas, masks, y, x = _place(canvas, masks, rng, cell, radius)
    shape = SHAPES[name](y, x, radius)
    masks[_ROWS[name]] |= shape
    first, second = (str(colour) for colour in rng.choice(list(COLOURS), 2, replace=False))
    if rng.random() >= _PATTERN_SHARE:
        _paint(canvas, masks, rng, shape, first)
        return
    pattern, period = str(rng.choice([*PATTERNS, NOISE])), rng.uniform(8, 14)
    masks[_ROWS[pattern]] |= shape
    if pattern == NOISE:
        grains = rng.uniform(0, 255, (len(y) // 2 + 1, x.shape[1] // 2 + 1)).repeat(2, 0).repeat(2, 1)
        canvas[shape] = grains[: len(y), : x.shape[1]][shape][:, None]
        return
    marked = PATTERNS[pattern](y, x, period)
    _paint(canvas, masks, rng, shape & marked, first)
    _paint(canvas, masks, rng, shape & ~marked, second)


def _add_line(canvas: Float32, masks: Bool, rng: np.random.Generator, cell: int) -> None:
    """Draw a line as a pen would, white or black."""
    name, radius = str(rng.choice(list(STROKES))), rng.uniform(22, 30)
    canvas, masks, y, x = _place(canvas, masks, rng, cell, radius)
    line = STROKES[name](y, x, radius)
    masks[_ROWS[name]] |= line
    _paint(canvas, masks, rng, line, str(rng.choice(["white", "black"])))


def _paint(canvas: Float32, masks: Bool, rng: np.random.Generator, pixels: Bool, colour: str) -> None:
    canvas[pixels] = np.array(COLOURS[colour]) + rng.uniform(-10, 10, 3)
    masks[_ROWS[colour]] |= pixels


def _label_edges(picture: UInt8, masks: Bool) -> None:
    """Label where brightness steps from left to right or from top to bottom; noise has no edges."""
    grey = picture.astype(np.float32).mean(2)
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    across[:, 1:-1] = abs(grey[:, 2:] - grey[:, :-2])
    down[1:-1] = abs(grey[2:] - grey[:-2])
    for name, step, lean in zip(EDGES, (across, down), (down, across), strict=True):
        steep = (step > _MIN_STEP) & (lean < _MAX_LEAN * step)
        wide = steep.copy()
        for axis in (0, 1):
            for by in (1, -1):
                wide |= np.roll(steep, by, axis)
        masks[_ROWS[name]] = wide & ~masks[_ROWS[NOISE]]
