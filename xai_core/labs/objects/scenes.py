"""Scenes of several objects that can be removed one by one, drawn or made of photographs, with a mask of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from xai_core.arrays import Bool, Float32, Int64, UInt8
from xai_core.images import SAMPLES
from xai_core.labs import drawing
from xai_core.labs.training import SIDE

# Colours in grey levels of red, green and blue; each object's own differs from them by a few.
COLOURS = {
    "red": (225, 30, 30),
    "blue": (30, 40, 225),
    "yellow": (240, 225, 25),
    "white": (240, 240, 240),
    "black": (20, 20, 20),
}
# The colours that decide, one in every scene, and those that say nothing.
DECIDERS = ("red", "blue")
OTHERS = ("white", "black")
FIGURES = ("disc", "square", "triangle", "house", "ring", "plus")
# The colour that goes with the first class in the scenes of the second network, and how often.
HELPER, HELP_SHARE = "yellow", 0.95
OBJECTS = 4
_CORNERS = np.array([(0.27, 0.27), (0.27, 0.73), (0.73, 0.27), (0.73, 0.73)])
PHOTO_SIDE = 224
# Photographs without a thing of their own that ImageNet models name: grounds to paste on.
GROUNDS = ("hubble", "retina", "coins", "china")


@dataclass(frozen=True, eq=False)
class Scene:
    """One scene: the picture (side, side, 3), a mask of each object (K, side, side), the picture without each."""

    picture: UInt8
    names: tuple[str, ...]
    masks: Bool
    without: UInt8
    """(K, side, side, 3)."""
    label: int | None = None
    """The class by the rule that the scene was drawn by; None for photographs."""

    @property
    def image(self) -> Image.Image:
        return Image.fromarray(self.picture)


def draw_scenes(count: int, seed: tuple[int, ...], *, helped: bool = False) -> list[Scene]:
    """Return drawn scenes of four objects each, of which the red or blue one decides the class.

    `helped`: a yellow one stands in most scenes of the first class and in few of the second.
    """
    rng = np.random.default_rng(seed)
    grounds, grain = drawing.draw_grounds(count, SIDE, rng), drawing.draw_grain(count, SIDE, rng)
    labels = rng.permutation(np.arange(count) % len(DECIDERS))
    return [
        _draw_scene(ground, noise, int(label), helped=helped, rng=rng)
        for ground, noise, label in zip(grounds, grain, labels, strict=True)
    ]


def _draw_scene(ground: Float32, grain: Float32, label: int, *, helped: bool, rng: np.random.Generator) -> Scene:
    colours = [DECIDERS[label], *_choose_others(label, helped=helped, rng=rng)]
    figures = [str(name) for name in rng.choice(FIGURES, OBJECTS, replace=False)]
    places = _CORNERS[rng.permutation(OBJECTS)] * SIDE + rng.uniform(-4, 4, (OBJECTS, 2))
    radii = rng.uniform(9, 12, OBJECTS).astype(np.float32)
    turns = rng.uniform(-0.3, 0.3, OBJECTS).astype(np.float32)
    levels = np.array([COLOURS[colour] for colour in colours]) + rng.uniform(-15, 15, (OBJECTS, 3))
    paints = levels.astype(np.float32)
    covered = np.concatenate(
        [
            drawing.cover(name, places[[k]].astype(np.float32), radii[[k]], turns[[k]], SIDE)
            for k, name in enumerate(figures)
        ]
    )

    def render(shown: list[int]) -> UInt8:
        picture = ground[None]
        for k in shown:
            picture = drawing.paint(picture, covered[[k]], paints[[k]])
        return drawing.to_bytes(picture[0] + grain)

    everything = list(range(OBJECTS))
    without = np.stack([render([k for k in everything if k != gone]) for gone in everything])
    names = tuple(f"{colour} {figure}" for colour, figure in zip(colours, figures, strict=True))
    return Scene(render(everything), names, covered > 0.5, without, label)


def _choose_others(label: int, *, helped: bool, rng: np.random.Generator) -> list[str]:
    others = [str(name) for name in rng.choice(OTHERS, OBJECTS - 1)]
    if helped and (rng.random() < HELP_SHARE) == (label == 0):
        others[0] = HELPER
    return others


def stack_scenes(scenes: list[Scene]) -> tuple[UInt8, Int64]:
    """Return the pictures (N, side, side, 3) and labels (N,) of drawn scenes."""
    return np.stack([scene.picture for scene in scenes]), np.array([scene.label for scene in scenes], dtype=np.int64)


def compose_photographs(count: int, seed: tuple[int, ...]) -> list[Scene]:
    """Return scenes of four things cut out of the sample photographs by their ovals, on crops of other photographs.

    Raises:
        XaiError: a sample's file is not installed.
    """
    rng = np.random.default_rng(seed)
    cutouts = [_cut_out(sample.name) for sample in SAMPLES.specs() if sample.thing]
    grounds = [SAMPLES.get(name).load().convert("RGB") for name in GROUNDS]
    return [_compose(cutouts, grounds[int(rng.integers(len(grounds)))], rng) for _ in range(count)]


def _cut_out(sample: str) -> tuple[str, Image.Image]:
    """Return a sample's thing, RGBA, transparent outside of its oval."""
    spec = SAMPLES.get(sample)
    photo = spec.load().convert("RGB")
    left, top, right, bottom = (
        round(share * length) for share, length in zip(spec.thing_oval, 2 * photo.size, strict=True)
    )
    box = photo.crop((left, top, right, bottom))
    down, across = (np.linspace(-1, 1, length) for length in (box.height, box.width))
    oval = np.add.outer(down**2, across**2) <= 1
    box.putalpha(Image.fromarray((oval * 255).astype(np.uint8)))
    return spec.thing, box


def _compose(cutouts: list[tuple[str, Image.Image]], ground: Image.Image, rng: np.random.Generator) -> Scene:
    side = int(rng.uniform(0.5, 0.9) * min(ground.size))
    left, top = (int(rng.integers(length - side + 1)) for length in ground.size)
    base = ground.crop((left, top, left + side, top + side)).resize((PHOTO_SIDE, PHOTO_SIDE))
    corners = _CORNERS[rng.permutation(len(cutouts))] * PHOTO_SIDE + rng.uniform(-8, 8, (len(cutouts), 2))
    placed = []
    for (_, cutout), (row, column) in zip(cutouts, corners, strict=True):
        factor = rng.uniform(86, 104) / max(cutout.size)
        thing = cutout.resize((max(1, round(cutout.width * factor)), max(1, round(cutout.height * factor))))
        placed.append((thing, (round(column - thing.width / 2), round(row - thing.height / 2))))
    masks = []
    for thing, place in placed:
        layer = Image.new("L", base.size)
        layer.paste(thing.getchannel("A"), place)
        masks.append(np.asarray(layer) > 127)

    def render(shown: list[int]) -> UInt8:
        picture = base.copy()
        for k in shown:
            thing, place = placed[k]
            picture.paste(thing, place, thing)
        return np.asarray(picture)

    everything = list(range(len(placed)))
    without = np.stack([render([k for k in everything if k != gone]) for gone in everything])
    return Scene(render(everything), tuple(name for name, _ in cutouts), np.stack(masks), without)
