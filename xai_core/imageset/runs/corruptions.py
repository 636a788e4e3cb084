"""Corruptions of a whole set: one of three strengths, named by a short text, and the same again for each picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xai_core.errors import InvalidParam
from xai_core.images.corruptions import CORRUPTIONS, Corruption
from xai_core.images.reading import Picture

MAX_SEVERITY = 3

__all__ = ["CORRUPTIONS", "MAX_SEVERITY", "Corruption", "CorruptionLevel", "parse_corruption"]


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
