"""A set of pictures: its record, and the source that opens its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from xai_core.arrays import Bool, Int32, UInt8
from xai_core.errors import InvalidParam, InvalidSet
from xai_core.images import Picture
from xai_core.imageset.class_matching import can_match_by_number, match_names
from xai_core.imageset.record import NO_LABEL, NO_MASK, SetRecord
from xai_core.imageset.thumbnails import SIDE

GONE = "This picture set is no longer kept on this computer. Choose or upload it again."


class Labelled(Protocol):
    """A model's class names: a `Classifier`."""

    @property
    def labels(self) -> tuple[str, ...]: ...


class Source(Protocol):
    """Pictures of a set by index, made or read anew at each call, by many threads at once."""

    def picture(self, index: int) -> Picture:
        """Return the picture, RGB or L. Raises XaiError."""

    def mask(self, index: int) -> Bool | None:
        """Return the object's pixels, (H, W) of `picture`'s size, or None. Raises XaiError."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N pictures with names and, where known, labels. Names, labels and numbers are in memory, pictures are not.

    `names` are names inside the set ("dogs/rex.jpg"): foreign text, to be escaped, and never the path of a file.
    `labels` (N,) are rows of `classes`, -1 for none; `classes` are sorted, 2 before 10, and empty where nothing is
    labelled.
    `skipped_files` has the name and the reason, a sentence, of the first thousand of `unread` files.
    """

    record: SetRecord
    source: Source = field(repr=False)
    folder: Path = field(repr=False)
    """The set's own folder, with its thumbnails."""

    def __len__(self) -> int:
        return len(self.record.names)

    @property
    def id(self) -> str:
        """24 hex digits of a hash of the contents: the same zip has the same id, whatever its file is called."""
        return self.record.id

    @property
    def name(self) -> str:
        """A built-in set's name in IMAGE_SETS; the id of any other."""
        return self.record.name

    @property
    def title(self) -> str:
        return self.record.title

    @property
    def names(self) -> tuple[str, ...]:
        return self.record.names

    @property
    def labels(self) -> Int32:
        return self.record.labels

    @property
    def classes(self) -> tuple[str, ...]:
        return self.record.classes

    @property
    def skipped_files(self) -> tuple[tuple[str, str], ...]:
        return self.record.skipped_files

    @property
    def unread(self) -> int:
        return self.record.unread

    @property
    def notes(self) -> tuple[str, ...]:
        return self.record.notes

    @property
    def origin(self) -> str:
        return self.record.origin

    @property
    def aliases(self) -> Mapping[str, str]:
        """Labels that models know under another name."""
        return self.record.aliases

    @cached_property
    def mask_flags(self) -> Bool:
        """Pictures that have a mask, (N,)."""
        flags: Bool = self.record.masks != NO_MASK
        flags.flags.writeable = False
        return flags

    @property
    def has_masks(self) -> bool:
        return bool(self.mask_flags.any())

    def open(self, index: int) -> Picture:
        """Return a new copy of a picture, RGB (L for the digits), longest side at most 1024 px.

        Raises InvalidParam, InvalidSet, InvalidImage.
        """
        return self.source.picture(self._check_index(index))

    def mask(self, index: int) -> Bool | None:
        """Return the pixels of the object, (H, W) of the picture's size, or None without a mask. Raises as `open`."""
        index = self._check_index(index)
        return self.source.mask(index) if self.mask_flags[index] else None

    def thumbnails(self) -> UInt8:
        """Return the middle square of every picture, (N, 48, 48, 3), mapped from disk. Raises InvalidSet if gone."""
        shape = (len(self), SIDE, SIDE, 3)
        try:
            return np.memmap(self.folder / "thumbs.u8", np.uint8, "r", shape=shape)
        except (OSError, ValueError) as error:
            raise InvalidSet(GONE) from error

    def match_classes(
        self, model: Labelled, *, by_number: bool = False, given: Mapping[str, int] | None = None
    ) -> Int32:
        """Return the model's class of each picture's label, (N,); -1 where no class, or several, have that name.

        Names match without case, with "_", "-" and blanks alike; codes of ImageNet's classes (n02099601) are known.
        `by_number` takes labels that are whole numbers for places of the model's classes, from 0. `given` has the
        model's class, or -1, of labels that it decides; it may lack any.

        Raises:
            InvalidParam: a given class is none of the model's.
        """
        names = [self.aliases.get(name, name) for name in self.classes]
        matched = match_names(names, model.labels, by_number)
        rows = [(given or {}).get(name, row) for name, row in zip(self.classes, matched, strict=True)]
        if rows and not NO_LABEL <= min(rows) <= max(rows) < len(model.labels):
            raise InvalidParam(f"The model's classes are 0 to {len(model.labels) - 1}. Got {min(rows)} to {max(rows)}.")
        # Label -1 picks the last row.
        return np.array([*rows, NO_LABEL], dtype=np.int32)[self.labels]

    def can_match_by_number(self, model: Labelled) -> bool:
        """Say if all labels are numbers that may be places of the model's classes, none of which has such a name."""
        return can_match_by_number(self.classes, model.labels)

    def _check_index(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise InvalidParam(f"This set has pictures 0 to {len(self) - 1}. Got {index}.")
        return int(index)
