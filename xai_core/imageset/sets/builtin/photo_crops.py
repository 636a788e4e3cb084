"""Pieces of the sample photographs as a set for the ImageNet models: how steady are they when the view changes?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from xai_core.arrays import Bool
from xai_core.images import SAMPLES, Picture, image_sha256, resize
from xai_core.imageset.sets.builtin.spec import IMAGE_SETS, ImageSetSpec, Made, reader
from xai_core.imageset.sets.disk import VERSION

_CROPS = 20
"""Of each photograph."""
_SHORTER = 320
"""Pixels of a photograph's shorter side, shrunk once: a crop is then near what models see, and the model's own resize is cheap."""

_RAMP = Image.frombytes("L", (256, 1), bytes(range(256)))


@dataclass(frozen=True)
class _Cut:
    """One crop: the square from (left, top), each a share of what is left over, `side` a share of the shorter side; light as a factor."""

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
        photo = _photo(cut.sample)
        side = round(cut.side * min(photo.size))
        left, top = round(cut.left * (photo.width - side)), round(cut.top * (photo.height - side))
        if cut.mirrored:
            photo, left = _mirrored(cut.sample), photo.width - side - left
        return photo.crop((left, top, left + side, top + side)).point(_light(cut.light))

    def mask(self, index: int) -> Bool | None:
        return None


@lru_cache(maxsize=16)
def _photo(name: str) -> Picture:
    """Decoded and shrunk once: twenty crops are cut from it."""
    photo = SAMPLES.get(name).load()
    factor = min(1.0, _SHORTER / min(photo.size))
    width, height = (round(side * factor) for side in photo.size)
    return photo.resize((width, height), Image.Resampling.LANCZOS)


@lru_cache(maxsize=512)
def _light(factor: float) -> list[int]:
    """What Pillow's brightness makes of every value of red, green and blue: looking it up takes half as long as finding it anew."""
    return list(ImageEnhance.Brightness(_RAMP).enhance(factor).tobytes()) * 3


@lru_cache(maxsize=16)
def _mirrored(name: str) -> Picture:
    return ImageOps.mirror(_photo(name))


def _cuts(name: str, seed: int) -> list[_Cut]:
    rng = np.random.default_rng(seed)
    draws = rng.uniform((0, 0, 0.45, 0.7), (1, 1, 0.95, 1.3), (_CROPS, 4)).round(4)
    return [
        _Cut(name, left, top, side, light, mirrored=at % 2 == 1)
        for at, (left, top, side, light) in enumerate(draws.tolist())
    ]


def _photo_crops() -> Made:
    resize.soon()  # while its pictures are looked at, before a model sees them
    photos = [sample for sample in SAMPLES.specs() if sample.kind == "photo"]
    cuts = tuple(cut for seed, sample in enumerate(photos) for cut in _cuts(sample.name, seed))
    classes = tuple(sorted(sample.title for sample in photos))
    titles = [sample.title for sample in photos for _ in range(_CROPS)]
    pictures = [image_sha256(_photo(sample.name)) for sample in photos]
    return Made(
        names=tuple(f"{cut.sample}/{at % _CROPS + 1:02}.png" for at, cut in enumerate(cuts)),
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
        about="240 pieces cut from twelve photographs, 20 of each: other places, sizes and light, every second one mirrored.",
        origin="Photographs that ship with scikit-image and scikit-learn: each is named with its licence among the sample pictures",
        model="efficientnet_lite0",
        read=reader(_photo_crops),
    )
)
