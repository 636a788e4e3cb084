"""Pieces of the sample photographs as a set for the ImageNet models: are they steady when the view changes?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from xai_core.arrays import Bool
from xai_core.images import SAMPLES, Picture, image_sha256
from xai_core.imageset.record import VERSION
from xai_core.imageset.sets.builtin.spec import IMAGE_SETS, BuiltinSet, ImageSetSpec, generate

# Of each photograph.
_CROPS = 20
# Pixels of a photograph, shrunk once: a crop is then near the model's input, and its resize is cheap.
_SHORTER_SIDE = 320

_RAMP = Image.frombytes("L", (256, 1), bytes(range(256)))


@dataclass(frozen=True)
class _Cut:
    """One crop: a square with its place (share of the free room), side (share of the shorter one) and light (factor).

    Its repr is part of the set's id: a new name would make another set.
    """

    sample: str
    left: float
    top: float
    side: float
    light: float
    mirrored: bool


class _Crops:
    def __init__(self, cuts: tuple[_Cut, ...]) -> None:
        self._cuts = cuts

    def picture(self, index: int) -> Picture:
        cut = self._cuts[index]
        photo = _load_photo(cut.sample)
        side = round(cut.side * min(photo.size))
        left, top = round(cut.left * (photo.width - side)), round(cut.top * (photo.height - side))
        if cut.mirrored:
            photo, left = _load_mirror(cut.sample), photo.width - side - left
        return photo.crop((left, top, left + side, top + side)).point(_brightness_table(cut.light))

    def mask(self, index: int) -> Bool | None:
        return None


@lru_cache(maxsize=16)
def _load_photo(name: str) -> Picture:
    """Decode and shrink a photograph once: twenty crops are cut from it."""
    photo = SAMPLES.get(name).load()
    factor = min(1.0, _SHORTER_SIDE / min(photo.size))
    width, height = (round(side * factor) for side in photo.size)
    return photo.resize((width, height), Image.Resampling.LANCZOS)


@lru_cache(maxsize=16)
def _load_mirror(name: str) -> Picture:
    return ImageOps.mirror(_load_photo(name))


@lru_cache(maxsize=512)
def _brightness_table(factor: float) -> list[int]:
    """Return Pillow's brightness for every value of red, green and blue: a table takes half the time."""
    return list(ImageEnhance.Brightness(_RAMP).enhance(factor).tobytes()) * 3


def _draw_cuts(name: str, seed: int) -> list[_Cut]:
    rng = np.random.default_rng(seed)
    draws = rng.uniform((0, 0, 0.45, 0.7), (1, 1, 0.95, 1.3), (_CROPS, 4)).round(4)
    return [
        _Cut(name, left, top, side, light, mirrored=number % 2 == 1)
        for number, (left, top, side, light) in enumerate(draws.tolist())
    ]


def _build_photo_crops() -> BuiltinSet:
    photos = [sample for sample in SAMPLES.specs() if sample.kind == "photo"]
    cuts = tuple(cut for seed, sample in enumerate(photos) for cut in _draw_cuts(sample.name, seed))
    classes = tuple(sorted(sample.title for sample in photos))
    titles = [sample.title for sample in photos for _ in range(_CROPS)]
    pictures = [image_sha256(_load_photo(sample.name)) for sample in photos]
    return BuiltinSet(
        names=tuple(f"{cut.sample}/{number % _CROPS + 1:02}.png" for number, cut in enumerate(cuts)),
        labels=np.array([classes.index(title) for title in titles], dtype=np.int32),
        classes=classes,
        source=_Crops(cuts),
        digest=hashlib.sha256(f"crops {VERSION} {cuts} {pictures}".encode()).hexdigest(),
        notes=(
            "The ImageNet models have a class for two of these photographs: the coffee (espresso) and the cat (tabby).",
        ),
        aliases={"Coffee": "espresso", "Cat": "tabby"},
    )


IMAGE_SETS.add(
    ImageSetSpec(
        name="photo_crops",
        title="Crops of the sample photographs",
        about="240 pieces cut from twelve photographs, 20 of each: other places, sizes and light, "
        "every second one mirrored.",
        origin="Photographs that ship with scikit-image and scikit-learn: each is named with its licence "
        "among the sample pictures",
        model="efficientnet_lite0",
        read=generate(_build_photo_crops),
    )
)
