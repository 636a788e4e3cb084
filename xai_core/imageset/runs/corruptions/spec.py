"""Description of a change that makes a picture worse or otherwise different, and the registry of them.

After Hendrycks and Dietterich 2019, Benchmarking Neural Network Robustness to Common Corruptions and Perturbations
(arXiv:1903.12261): noise, blur, JPEG and contrast have the strengths 1, 3 and 5 of their five; blur of tiny pictures
about those of CIFAR-10-C, 0.4, 0.7 and 1 pixel. Each works on the model's input, after resizing and cropping, so that a
strength means the same for small and large files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from xai_core.arrays import Float64
from xai_core.errors import InvalidParam
from xai_core.images import Picture
from xai_core.registry import Registry

MAX_SEVERITY = 3


@dataclass(frozen=True, kw_only=True)
class Corruption:
    """One way to change a picture: its words, its strength by severity, and the function that does it."""

    name: str
    title: str
    rank: int
    """Place in lists."""
    about: str
    levels: tuple[float, ...]
    """Strength at severity 1, 2 and 3; a single number where there is only one strength."""
    change: Callable[[Picture, float, np.random.Generator], Picture]
    """From the model's input (L or RGB), the strength and a generator to a new picture of the same size and mode."""


@dataclass(frozen=True)
class CorruptionLevel:
    """A corruption at one severity. `text` names it in links and keys: "gaussian_noise:2"."""

    corruption: Corruption
    severity: int

    @property
    def text(self) -> str:
        return f"{self.corruption.name}:{self.severity}"

    def __call__(self, picture: Picture, index: int) -> Picture:
        """Return the changed picture; chance comes from its index in its set, so that a second run gives the same."""
        rng = np.random.default_rng([index, self.severity])
        return self.corruption.change(picture, self.corruption.levels[self.severity - 1], rng)


CORRUPTIONS: Registry[Corruption] = Registry("change", order=lambda corruption: corruption.rank)


def parse_corruption(text: str) -> CorruptionLevel | None:
    """Read a text such as "gaussian_noise:2"; "" is no change. Without a severity it is 1.

    Where there is only one strength, every severity means that one. Raises UnknownName, InvalidParam.

    >>> parse_corruption("mirror:3").text, parse_corruption("")
    ('mirror:1', None)
    """
    if not text:
        return None
    name, _, number = str(text).partition(":")
    corruption = CORRUPTIONS.get(name)
    if number not in ("", *(str(severity) for severity in range(1, MAX_SEVERITY + 1))):
        raise InvalidParam(
            f"How strongly pictures are changed must be a whole number from 1 to {MAX_SEVERITY}. Got {number[:60]!r}."
        )
    return CorruptionLevel(corruption, min(int(number or 1), len(corruption.levels)))


def to_shares(picture: Picture) -> Float64:
    """Return pixels as numbers in 0..1, (H, W) or (H, W, 3)."""
    return np.asarray(picture, dtype=np.float64) / 255


def from_shares(shares: npt.NDArray[Any]) -> Picture:
    return Image.fromarray(np.rint(shares.clip(0, 1) * 255).astype(np.uint8))
