"""Concept pictures: pictures whose pixels are labelled with the concepts that they show, several labels a pixel."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

import numpy as np
from PIL import Image

from xai_core.arrays import Bool
from xai_core.errors import InvalidParam

T = TypeVar("T")
MAX_PICTURES, MAX_CONCEPTS = 2000, 100


class LazySequence(Sequence[T], Generic[T]):
    """Values made anew by number at each access, so that none is held in memory."""

    def __init__(self, count: int, make: Callable[[int], T]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        numbers = range(self._count)[index]
        return self._make(numbers) if isinstance(numbers, int) else [self._make(number) for number in numbers]

    def __iter__(self) -> Iterator[T]:
        return (self._make(number) for number in range(self._count))


@dataclass(frozen=True, eq=False)
class ConceptProbe:
    """N pictures, K concepts, and for each picture the pixels of every concept: `masks[n]` is boolean (K, H, W).

    `masks` may be one array (N, K, H, W) or any sequence of N arrays, each of its picture's size. A concept that is no
    part of the picture is all False there.

    Raises InvalidParam for no pictures, no concepts, or masks of another number or size; sequences that make their
    values anew are checked as they are read.

    >>> probe = ConceptProbe([Image.new("RGB", (8, 8))] * 12, np.zeros((12, 1, 8, 8), bool), ["red"])
    >>> len(probe), probe.concepts
    (12, ('red',))
    """

    pictures: Sequence[Image.Image]
    masks: Sequence[Bool]
    concepts: Sequence[str]
    held_out: ConceptProbe | None = None
    """Other pictures of the same concepts, on which labels are tested that were chosen on these."""
    title: str = "your own pictures"
    key: str = ""
    """Hash of the contents where they can be made again, such as a generator's settings; "" for any others."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "concepts", tuple(self.concepts))
        if not len(self.pictures) or not self.concepts:
            raise InvalidParam(
                f"Concept pictures need at least one picture and one concept. Got {len(self.pictures)} pictures and "
                f"{len(self.concepts)} concepts."
            )
        if len(set(self.concepts)) != len(self.concepts):
            raise InvalidParam(f"Each concept needs a name of its own. Got {', '.join(self.concepts)[:120]}.")
        if len(self.pictures) > MAX_PICTURES or len(self.concepts) > MAX_CONCEPTS:
            raise InvalidParam(
                f"At most {MAX_PICTURES:,} pictures of {MAX_CONCEPTS} concepts can be used. Got {len(self.pictures):,} "
                f"and {len(self.concepts)}."
            )
        if len(self.masks) != len(self.pictures):
            raise InvalidParam(
                f"Each picture needs its masks. Got {len(self.pictures)} pictures and masks for {len(self.masks)}."
            )
        if self.held_out is not None and self.held_out.concepts != self.concepts:
            raise InvalidParam("The pictures that are held back must have the same concepts in the same order.")
        if not isinstance(self.pictures, LazySequence) and not isinstance(self.masks, LazySequence):
            for index in range(len(self)):
                self.read(index)

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, index: int) -> tuple[Image.Image, Bool]:
        """Return a picture and its masks (K, H, W). Raises InvalidParam for masks of another size."""
        picture, masks = self.pictures[index], np.asarray(self.masks[index])
        expected = (len(self.concepts), picture.height, picture.width)
        if masks.shape != expected:
            raise InvalidParam(
                f"Masks must have the size of their picture: {expected[0]} masks of {expected[1]} × {expected[2]} "
                f"pixels for picture {index}. Got {' × '.join(map(str, masks.shape))}."
            )
        return picture, masks.astype(np.bool_, copy=False)


def make_key(*parts: object) -> str:
    """Return 32 hex digits of a hash of settings that name a probe's contents."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
