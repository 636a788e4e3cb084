"""The record of one set of pictures, and where its pictures come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from xai_core.arrays import Bool, Int32, UInt8
from xai_core.errors import InvalidParam, InvalidSet
from xai_core.images import Picture
from xai_core.imageset.thumbnails import THUMB

NO_LABEL = -1
GONE = "This picture set is no longer kept on this computer. Choose or upload it again."


class Labelled(Protocol):
    """What of a model is needed to know its classes: a `Classifier`."""

    @property
    def labels(self) -> tuple[str, ...]: ...


class Source(Protocol):
    """Where a set's pictures come from. Many threads ask at once; each picture is made or read anew."""

    def picture(self, index: int) -> Picture:
        """The picture, RGB or L. Raises XaiError."""

    def mask(self, index: int) -> Bool | None:
        """Its object's pixels, (H, W), of the size of `picture`; None without. Raises XaiError."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N pictures with their names and, where known, labels. Only names, labels and numbers are in memory, never all pictures.

    `names` are names inside the set ("dogs/rex.jpg"): a stranger's text, to be escaped, and never the path of a file.
    `labels` (N,) are rows of `classes`, -1 for a picture without one; `classes` are sorted, and empty where nothing is labelled.
    `skipped` has the name and the reason, a sentence, of what could not be read, the first thousand of `unread`.
    """

    id: str
    """24 hex digits of a hash of the contents: the same zip has the same id, whatever it is called."""
    name: str
    """The name of a built-in set in IMAGE_SETS; of an own one its id, which is never one of those."""
    title: str
    names: tuple[str, ...]
    labels: Int32
    classes: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    origin: str
    source: Source = field(repr=False)
    folder: Path = field(repr=False)
    """Where the thumbnails lie."""
    masked: Bool = field(repr=False)
    """(N,) which pictures have a mask."""
    aliases: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Labels that models know under another name."""
    unread: int = 0
    """How many files could not be read."""

    def __len__(self) -> int:
        return len(self.names)

    def open(self, index: int) -> Picture:
        """A picture, RGB (L for the digits), longest side at most 1024 px; new each time.

        Raises InvalidParam, InvalidSet, InvalidImage.
        """
        return self.source.picture(self._checked(index))

    def mask(self, index: int) -> Bool | None:
        """Which pixels belong to the object, bool (H, W) of the picture's size; None where nobody said. Raises as `open` does."""
        index = self._checked(index)
        return self.source.mask(index) if self.masked[index] else None

    @property
    def has_masks(self) -> bool:
        return bool(self.masked.any())

    def thumbnails(self) -> UInt8:
        """The middle square of every picture, (N, 48, 48, 3) uint8, read from disk as it is looked at. Raises InvalidSet if it is gone."""
        shape = (len(self), THUMB, THUMB, 3)
        try:
            return np.memmap(self.folder / "thumbs.u8", np.uint8, "r", shape=shape)
        except (OSError, ValueError) as error:
            raise InvalidSet(GONE) from error

    def match_classes(self, model: Labelled) -> Int32:
        """The model's class for each picture's label, (N,); -1 where there is no label or the model has no class, or several, of that name.

        Names must be the same but for upper and lower case, and "_" counts as a space.
        """
        known = _rows(model.labels)
        rows = [known.get(_plain(self.aliases.get(name, name)), NO_LABEL) for name in self.classes]
        return np.array([*rows, NO_LABEL], dtype=np.int32)[self.labels]  # label -1 is the last row

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise InvalidParam(f"This set has pictures 0 to {len(self) - 1}. Got {index}.")
        return int(index)


def _plain(label: str) -> str:
    return " ".join(label.replace("_", " ").split()).casefold()


def _rows(labels: Sequence[str]) -> dict[str, int]:
    """Class by plain name; a name that two classes share says nothing."""
    plain = [_plain(label) for label in labels]
    often = Counter(plain)
    return {name: row for row, name in enumerate(plain) if often[name] == 1}
