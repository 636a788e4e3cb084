"""Description of a change that makes a picture worse or otherwise different, and the registry of them.

After Hendrycks and Dietterich 2019, Benchmarking Neural Network Robustness to Common Corruptions and Perturbations
(arXiv:1903.12261): noise, blur, JPEG, contrast and brightness have their five strengths; blur of tiny pictures about
those of CIFAR-10-C. Each works on the model's input, after resizing and cropping, so that a strength means the same for
small and large files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from xai_core.arrays import Float64
from xai_core.images.reading import Picture
from xai_core.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Corruption:
    """One way to change a picture: its words, its strength by severity, and the function that does it."""

    name: str
    title: str
    rank: int
    """Place in lists."""
    about: str
    scale: tuple[float, ...]
    """Strength at severity 1 to 5; a single number where there is only one strength."""
    change: Callable[[Picture, float, np.random.Generator], Picture]
    """From the model's input (L or RGB), the strength and a generator to a new picture of the same size and mode."""
    moves: bool = False
    """True if the parts of the picture change their places."""
    random: bool = False
    """True if chance has a part in it."""

    @property
    def levels(self) -> tuple[float, ...]:
        """Weak, middle and strong: severity 1, 3 and 5."""
        return self.scale[::2]


CORRUPTIONS: Registry[Corruption] = Registry("change", order=lambda corruption: corruption.rank)


def to_shares(picture: Picture) -> Float64:
    """Return pixels as numbers in 0..1, (H, W) or (H, W, 3)."""
    return np.asarray(picture, dtype=np.float64) / 255


def from_shares(shares: npt.NDArray[Any]) -> Picture:
    return Image.fromarray(np.rint(shares.clip(0, 1) * 255).astype(np.uint8))
