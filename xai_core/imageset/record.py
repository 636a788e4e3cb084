"""The record of one set, which is filled when files are read, stored, and wrapped by an `ImageSet`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from xai_core.arrays import Int32

# Part of every set's id, and of its stored form; sets of another version are not opened.
VERSION = 2
# Part of the id of sets that are files; raised when the same files would give another set.
READING_VERSION = 3
# Kinds of set.
ZIP, FOLDER, BUILT_IN = "zip", "folder", "built-in"
NO_LABEL = -1
# In place of the row of a mask's file.
NO_MASK, ALPHA_MASK = -1, -2


@dataclass(frozen=True, eq=False)
class SetRecord:
    """Contents of a set of N pictures, without the pictures: names, labels, masks, notes, places of files."""

    id: str
    """The first 24 hex digits of a hash of the contents."""
    kind: str
    name: str
    """A built-in set's name in IMAGE_SETS; the id of any other."""
    title: str
    names: tuple[str, ...]
    labels: Int32
    """(N,) rows of `classes`, -1 for none."""
    classes: tuple[str, ...]
    masks: Int32
    """(N,) row of each picture's mask among the files (pictures first, then masks), NO_MASK or ALPHA_MASK."""
    origin: str
    skipped_files: tuple[tuple[str, str], ...] = ()
    """Name and reason of the first files that could not be read."""
    notes: tuple[str, ...] = ()
    unread: int = 0
    """Number of files that could not be read."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    mask_names: tuple[str, ...] = ()
    """Names of the files of masks."""
    root: str = ""
    """The folder, where it is one on the server."""
    file_index: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    """Arrays that say where each file lies (`Files.index_arrays`)."""

    def __post_init__(self) -> None:
        for array in (self.labels, self.masks):
            array.flags.writeable = False

    @property
    def file_names(self) -> tuple[str, ...]:
        return (*self.names, *self.mask_names)


def no_masks(count: int) -> Int32:
    """Return `SetRecord.masks` for pictures without masks, (count,)."""
    return np.full(count, NO_MASK, dtype=np.int32)
