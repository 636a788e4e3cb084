"""Attacked pictures: what was changed, by how much, and a file that still fools the model when it is read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from PIL import Image

from xai_core.arrays import Int16
from xai_core.params import Value
from xai_core.results import Prediction


@dataclass(frozen=True, eq=False)
class Attacked:
    """An attack on the picture as the model sees it; pictures are RGB or L, sizes of changes in whole grey levels."""

    attack: str
    model: str
    original: Image.Image
    """The picture as the model sees it, before."""
    picture: Image.Image
    """The same after the attack."""
    upload: Image.Image
    """A picture to save: read again, the model sees exactly `picture`."""
    before: Prediction
    after: Prediction
    """The five likeliest classes before and after."""
    source: int
    """Class before the attack."""
    target: int | None
    """Class that was aimed at; None where any other would do."""
    label: str
    """Label of the target, or of the source where there is none."""
    source_probability: tuple[float, float]
    """Probability of the source before and after."""
    target_probability: tuple[float, float] | None
    success: bool
    epsilon: int | None
    params: Mapping[str, Value]
    seed: int
    queries: int
    """Pictures that the model was asked about, gradients included."""
    seconds: float
    curve: tuple[float, ...] = ()
    """Best margin in logits after each step: above 0 the model is fooled."""
    details: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def change(self) -> Int16:
        """Levels after less levels before, (H, W, C)."""
        after, before = (_levels(picture) for picture in (self.picture, self.original))
        return after - before

    @property
    def linf(self) -> int:
        """Largest change of a value, in levels."""
        return int(np.abs(self.change).max())

    @property
    def l2(self) -> float:
        """Root mean square of the changes of all values, in levels."""
        return float(np.sqrt(np.mean(np.square(self.change, dtype=np.float64))))

    @property
    def l2_norm(self) -> float:
        """Euclidean length of the change, in levels."""
        return float(np.sqrt(np.sum(np.square(self.change, dtype=np.float64))))

    @property
    def l0(self) -> int:
        """Number of pixels that changed."""
        return int(np.any(self.change != 0, axis=2).sum())


def _levels(picture: Image.Image) -> Int16:
    array: Int16 = np.asarray(picture).astype(np.int16).reshape(picture.height, picture.width, -1)
    return array
