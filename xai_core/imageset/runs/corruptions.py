"""Ways to make a picture worse or otherwise different, to see how much of a score survives it.

After Hendrycks and Dietterich 2019, Benchmarking Neural Network Robustness to Common Corruptions and Perturbations (arXiv:1903.12261):
noise, blur, JPEG and contrast have the strengths 1, 3 and 5 of their five; blur of tiny pictures about those of CIFAR-10-C, 0.4, 0.7 and
1 pixel. Each works on the picture as the model sees it, after it was
resized and cut out, so that a strength means the same for small and large files.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

from xai_core.arrays import Float64
from xai_core.errors import InvalidParam
from xai_core.images import Picture
from xai_core.registry import Registry

MAX_SEVERITY = 3
_SIDE = 224
"""Lengths in pixels are for inputs of this side, and scaled for others."""


@dataclass(frozen=True, kw_only=True)
class Corruption:
    """One way to change a picture: its words, its strength by severity, and the function that does it."""

    name: str
    title: str
    about: str
    levels: tuple[float, ...]
    """The strength at severity 1, 2 and 3; one number where there is only one strength."""
    change: Callable[[Picture, float, np.random.Generator], Picture]
    """From the seen picture (L or RGB), the strength and a generator to a new picture of the same size and kind."""


@dataclass(frozen=True)
class CorruptionLevel:
    """A corruption at one severity. `text` names it in links and keys: "gaussian_noise:2"."""

    corruption: Corruption
    severity: int

    @property
    def text(self) -> str:
        return f"{self.corruption.name}:{self.severity}"

    def __call__(self, seen: Picture, index: int) -> Picture:
        """The seen picture changed; chance is drawn from the picture's own number in its set, so that a second run gives the same."""
        rng = np.random.default_rng([index, self.severity])
        return self.corruption.change(seen, self.corruption.levels[self.severity - 1], rng)


CORRUPTIONS: Registry[Corruption] = Registry("change")


def parse_corruption(text: str) -> CorruptionLevel | None:
    """What a text such as "gaussian_noise:2" means; "" means nothing is changed. Without a severity it is 1.

    Where there is only one strength, every severity means that one. Raises UnknownName, InvalidParam.
    """
    if not text:
        return None
    name, _, number = str(text).partition(":")
    known = CORRUPTIONS.get(name)
    if number not in ("", *(str(each) for each in range(1, MAX_SEVERITY + 1))):
        raise InvalidParam(
            f"How strongly pictures are changed must be a whole number from 1 to {MAX_SEVERITY}. Got {number[:60]!r}."
        )
    return CorruptionLevel(known, min(int(number or 1), len(known.levels)))


def _share(seen: Picture) -> Float64:
    """Pixels as numbers in 0..1, (H, W) or (H, W, 3)."""
    return np.asarray(seen, dtype=np.float64) / 255


def _picture(share: npt.NDArray[Any]) -> Picture:
    return Image.fromarray(np.rint(share.clip(0, 1) * 255).astype(np.uint8))


def _noise(seen: Picture, spread: float, rng: np.random.Generator) -> Picture:
    pixels = _share(seen)
    return _picture(pixels + rng.normal(0, spread, pixels.shape))


def _blur(seen: Picture, sigma: float, _rng: np.random.Generator) -> Picture:
    """Scaled with the side, but never less than what the authors take for small pictures: under that, a blur of a pixel changes nothing."""
    return seen.filter(ImageFilter.GaussianBlur(max(sigma * seen.width / _SIDE, 0.3 + 0.12 * sigma)))


def _jpeg(seen: Picture, quality: float, _rng: np.random.Generator) -> Picture:
    buffer = BytesIO()
    seen.save(buffer, "JPEG", quality=int(quality))
    return Image.open(buffer, formats=("JPEG",)).convert(seen.mode)


def _contrast(seen: Picture, kept: float, _rng: np.random.Generator) -> Picture:
    pixels = _share(seen)
    mean = pixels.mean(axis=(0, 1))
    return _picture((pixels - mean) * kept + mean)


def _brightness(seen: Picture, more: float, _rng: np.random.Generator) -> Picture:
    return _picture(_share(seen) + more)


def _grey(seen: Picture, share: float, _rng: np.random.Generator) -> Picture:
    return Image.blend(seen, seen.convert("L").convert(seen.mode), share)


def _rotate(seen: Picture, degrees: float, rng: np.random.Generator) -> Picture:
    """To either side; corners show the picture mirrored at its edge, since black ones would be a change of their own."""
    edge = math.ceil(0.21 * max(seen.size)) + 1  # (√2 - 1) / 2 of the side reaches the corner at any angle
    around = [(edge, edge), (edge, edge), (0, 0)][: np.asarray(seen).ndim]
    wide = Image.fromarray(np.pad(np.asarray(seen), around, mode="reflect"))
    turned = wide.rotate(degrees * rng.choice((-1, 1)), Image.Resampling.BICUBIC)
    return turned.crop((edge, edge, edge + seen.width, edge + seen.height))


def _mirror(seen: Picture, _level: float, _rng: np.random.Generator) -> Picture:
    return ImageOps.mirror(seen)


def _crop(seen: Picture, share: float, rng: np.random.Generator) -> Picture:
    width, height = (round(side * share) for side in seen.size)
    left, top = (int(rng.integers(0, free + 1)) for free in (seen.width - width, seen.height - height))
    return seen.resize(seen.size, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))


for _each in (
    Corruption(
        name="gaussian_noise",
        title="Grain (Gaussian noise)",
        about="Random grain on every pixel, as of a camera in the dark.",
        levels=(0.08, 0.18, 0.38),
        change=_noise,
    ),
    Corruption(
        name="blur",
        title="Blur",
        about="Out of focus: every pixel is mixed with those around it.",
        levels=(1.0, 3.0, 6.0),
        change=_blur,
    ),
    Corruption(
        name="jpeg",
        title="Strong JPEG",
        about="Packed so hard that blocks of 8 × 8 pixels show.",
        levels=(25, 15, 7),
        change=_jpeg,
    ),
    Corruption(
        name="contrast",
        title="Less contrast",
        about="Everything comes closer to the mean colour, as in fog.",
        levels=(0.4, 0.2, 0.05),
        change=_contrast,
    ),
    Corruption(
        name="brightness",
        title="Brighter",
        about="All pixels get lighter; what was light already becomes white.",
        levels=(0.1, 0.3, 0.5),
        change=_brightness,
    ),
    Corruption(
        name="grey",
        title="Less colour",
        about="Colours fade; at the strongest the picture is black and white.",
        levels=(1 / 3, 2 / 3, 1.0),
        change=_grey,
    ),
    Corruption(
        name="rotate",
        title="Turned",
        about="Turned to the left or to the right by 10, 20 or 30 degrees.",
        levels=(10.0, 20.0, 30.0),
        change=_rotate,
    ),
    Corruption(
        name="mirror",
        title="Mirrored",
        about="Left and right change places. There is only one strength.",
        levels=(1.0,),
        change=_mirror,
    ),
    Corruption(
        name="crop",
        title="Part of it",
        about="Only a part is left, 85, 70 or 50 percent a side, enlarged to the full size.",
        levels=(0.85, 0.7, 0.5),
        change=_crop,
    ),
):
    CORRUPTIONS.add(_each)
