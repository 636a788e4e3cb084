"""The declaration of a shake (`Shake`): one way to change a picture, step by step, and the registry of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from xai_core.errors import InvalidParam
from xai_core.formatting import number
from xai_core.images.reading import Picture
from xai_core.registry import Registry
from xai_core.shakes.base.frames import Frame

GROUPS: Mapping[str, str] = {
    "place": "Turn and move",
    "light": "Light and colour",
    "quality": "Quality",
    "severity": "Damage from 1 to 5 (corruptions)",
    "order": "Order of the parts",
}


@dataclass(frozen=True, kw_only=True)
class Shake:
    """One way to change the picture that a model sees, at values from one end to the other."""

    name: str
    title: str
    """In plain words."""
    technical: str
    """The name in the literature."""
    group: str
    """A key of GROUPS."""
    rank: int
    """Place in lists."""
    about: str
    values: tuple[float, ...]
    """Points of the curve, in order."""
    strong: float
    """The value that stands for all where there is time for one only: strong, and a person still sees the same."""
    neutral: float | None = None
    """Value that leaves a picture as it is, if there is one."""
    change: Callable[[Picture, float, np.random.Generator], Picture] | None = None
    """From the model's input, a value and a generator to a new picture; None where the frame says it all."""
    frame: Callable[[int, float, np.random.Generator], Frame] | None = None
    """From the input's side, a value and a generator to the movement; None where nothing moves."""
    unit: str = ""
    words: Mapping[float, str] = field(default_factory=dict)
    """Names of values that are no amounts."""
    range_words: str = ""
    """The range of values in words, where the title alone does not tell it from another shake."""
    mild: tuple[float, ...] = ()
    """Values that random mixes draw from; none where it takes no part in them."""
    random: bool = False
    """True if chance has a part in it."""

    @property
    def full_title(self) -> str:
        """Plain name, then the known one: "Turned · rotation"."""
        return f"{self.title} · {self.technical}"

    @property
    def short_title(self) -> str:
        """The plain name, told from a similar one by its severities: "Blur, 1 to 5"."""
        return f"{self.title.partition(' (')[0]}, {self.range_words}" if self.range_words else self.title

    def describe(self, value: float) -> str:
        """Return a value in words: "45°", "+20 %", "left and right exchanged"."""
        if value in self.words:
            return self.words[value]
        sign = "+" if value > 0 and min(self.values) < 0 else ""
        gap = "" if self.unit in ("", "°") else " "
        return f"{sign}{number(value)}{gap}{self.unit}"

    def check(self, value: float) -> float:
        """Return one of `values`. Raises InvalidParam for another."""
        if value not in self.values:
            allowed = ", ".join(map(self.describe, self.values))
            raise InvalidParam(f"{self.title} has the steps {allowed}. Got {str(value)[:60]}.")
        return value

    def apply(self, picture: Picture, value: float, seed: int) -> Picture:
        """Return the shaken picture, of the same size and mode; the same seed gives the same bytes."""
        if value == self.neutral:
            return picture
        if self.change is not None:
            return self.change(picture, value, np.random.default_rng(seed))
        frame = self.find_frame(picture.width, value, seed)
        return picture if frame is None else frame.move(picture)

    def find_frame(self, side: int, value: float, seed: int) -> Frame | None:
        """Return the movement of the picture's parts, None where they stay."""
        if self.frame is None or value == self.neutral:
            return None
        return self.frame(side, value, np.random.default_rng(seed))


SHAKES: Registry[Shake] = Registry("shake", order=lambda shake: (tuple(GROUPS).index(shake.group), shake.rank))
