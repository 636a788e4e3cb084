"""Roles of the files of a zip or folder, by their names alone: pictures, masks, the table of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from xai_core.errors import InvalidSet
from xai_core.images import READABLE_SUFFIXES

MAX_FILES = 200_000
# Size of the largest file that is opened: the limit of a single picture.
MAX_BYTES = 25 * 2**20
TOO_HEAVY = (
    f"This file is larger than {MAX_BYTES // 2**20} MB, which is the most allowed for one picture. Save it smaller."
)
# Letters of a name with its folders.
MAX_NAME = 1000
TOO_LONG = "The name of this file, with its folders, is too long. Shorten it."

PICTURE_ENDINGS = frozenset(READABLE_SUFFIXES)
LABELS = "labels.csv"
_ARCHIVE_ENDINGS = frozenset(".zip .rar .7z .tar .gz .tgz .bz2 .xz".split())
# Folders of pictures that have a folder of masks beside them.
_PICTURE_FOLDERS = frozenset("images image imgs img pictures photos".split())
_JUNK = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_NESTED = "An archive inside is not opened. Unpack it first, and put its pictures beside the others."


class Files(Protocol):
    """Files of a zip or folder, by row. Many threads read at once."""

    @property
    def names(self) -> Sequence[str]:
        """Printable names inside the set, with / between folders."""

    @property
    def skipped_files(self) -> Sequence[tuple[str, str]]:
        """Name and reason of files that are not even tried."""

    def read(self, row: int) -> bytes:
        """Return at most MAX_BYTES. Raises InvalidImage for a damaged file, InvalidSet if nothing else can be read."""

    def take(self, rows: npt.NDArray[np.intp]) -> Files:
        """Return these files only, none of them skipped."""

    def index_arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return all that is needed, beside the names, to read the files again."""


@dataclass
class FileRoles:
    """Rows of pictures, of their masks and of the table of labels, and what is left out."""

    pictures: list[int] = field(default_factory=list)
    """Masks are among them, too."""
    masks: dict[int, int] = field(default_factory=dict)
    """Row of the mask of each picture that has one by its name."""
    same_stem_pngs: dict[int, int] = field(default_factory=dict)
    """Row of the PNG of their name beside pictures, which may be their mask: only its pixels tell."""
    table: int | None = None
    skipped_files: list[tuple[str, str]] = field(default_factory=list)
    """Archives, with the reason."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Number of other files by their ending."""
    notes: list[str] = field(default_factory=list)


def not_now(error: OSError) -> InvalidSet:
    """Build the error of files that cannot be opened at this moment, damaged or not."""
    return InvalidSet(
        f"The pictures cannot be opened now ({error.strerror or 'unknown trouble'}). Try again in a moment."
    )


def assign_roles(names: Sequence[str]) -> FileRoles:
    """Tell pictures, masks and labels apart; pictures come in the order of their names.

    >>> roles = assign_roles(["rex.jpg", "rex_mask.png", "labels.csv"])
    >>> roles.masks, roles.table
    ({0: 1}, 2)
    """
    roles = FileRoles()
    for row in sorted(range(len(names)), key=names.__getitem__):
        _, stem, ending = split_name(names[row])
        if _is_junk(names[row]):
            continue
        if ending in PICTURE_ENDINGS:
            roles.pictures.append(row)
        elif ending in _ARCHIVE_ENDINGS:
            roles.skipped_files.append((names[row], _NESTED))
        elif stem.lower() + ending != LABELS:
            roles.ignored[ending or "without an ending"] += 1
        elif roles.table is None or names[row].count("/") < names[roles.table].count("/"):
            roles.table = row
    stems = _group_by_stem(names, roles.pictures)
    roles.masks = _pair_by_name(names, roles.pictures, stems)
    roles.same_stem_pngs = _find_same_stem_pngs(names, stems, roles.masks)
    if roles.ignored:
        endings = count_words(roles.ignored)
        roles.notes.append(f"Ignored, because their names do not end as a picture's does (.jpg, .png …): {endings}.")
    if roles.table is None and ".csv" in roles.ignored:
        roles.notes.append(f"A table of labels is read where it is called {LABELS}.")
    return roles


def split_name(name: str) -> tuple[str, str, str]:
    """Split a name into folder, stem and ending (".png", lower case), as pathlib does, but 200,000 in a second.

    >>> split_name("dogs/rex.JPG"), split_name(".hidden")
    (('dogs', 'rex', '.jpg'), ('', '.hidden', ''))
    """
    folder, _, file = name.rpartition("/")
    dot = file.rfind(".")
    return (folder, file[:dot], file[dot:].lower()) if 0 < dot < len(file) - 1 else (folder, file, "")


def is_picture(name: str) -> bool:
    return split_name(name)[2] in PICTURE_ENDINGS


def is_read(name: str) -> bool:
    """Say if a file of this name is opened at all."""
    _, stem, ending = split_name(name)
    return ending in PICTURE_ENDINGS or stem.lower() + ending == LABELS


def masked_stems(name: str) -> tuple[str, ...]:
    """Return the pictures, without ending, that a PNG of this name is a mask of.

    Of images/rex.jpg beside masks/rex.png the folder does not count.

    >>> masked_stems("dogs/rex_mask.png"), masked_stems("masks/rex.png")
    (('dogs/rex',), ('rex',))
    """
    folder, stem, ending = split_name(name)
    if ending != ".png":
        return ()
    prefix = f"{folder}/" if folder else ""
    by_suffix = (f"{prefix}{stem[:-5]}",) if len(stem) > 5 and stem.lower().endswith(("_mask", ".mask")) else ()
    parts = folder.split("/")
    position = next((position for position, part in enumerate(parts) if part.lower() == "masks"), None)
    if position is None:
        return by_suffix
    return (*by_suffix, "/".join([*parts[:position], *parts[position + 1 :], stem]))


def _group_by_stem(names: Sequence[str], pictures: Sequence[int]) -> dict[str, list[int]]:
    """Group rows by their name without its ending."""
    stems: dict[str, list[int]] = {}
    for row in pictures:
        folder, stem, _ = split_name(names[row])
        stems.setdefault(f"{folder}/{stem}" if folder else stem, []).append(row)
    return stems


def _pair_by_name(names: Sequence[str], pictures: Sequence[int], stems: Mapping[str, Sequence[int]]) -> dict[int, int]:
    """Map pictures to the row of their mask. A PNG in a folder "masks" without a picture of its name is a picture."""
    masks: dict[int, int] = {}
    beside = _group_without_picture_folder(stems)
    for row in pictures:
        for stem in masked_stems(names[row]):
            for picture in (*stems.get(stem, ()), *beside.get(stem, ())):
                masks.setdefault(picture, row)
    return masks


def _group_without_picture_folder(stems: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Group rows of pictures in folders such as "images" by their names without that folder."""
    groups: dict[str, list[int]] = {}
    for stem, rows in stems.items():
        parts = stem.split("/")
        position = next((at for at, part in enumerate(parts[:-1]) if part.lower() in _PICTURE_FOLDERS), None)
        if position is not None:
            groups.setdefault("/".join([*parts[:position], *parts[position + 1 :]]), []).extend(rows)
    return groups


def _find_same_stem_pngs(
    names: Sequence[str], stems: Mapping[str, Sequence[int]], masks: Mapping[int, int]
) -> dict[int, int]:
    """Map pictures of another kind to the PNG of their name in their folder, where neither has to do with a mask."""
    used, pairs = {*masks, *masks.values()}, dict[int, int]()
    for rows in stems.values():
        if len(rows) > 1:
            endings = {row: split_name(names[row])[2] for row in rows if row not in used}
            pngs = [row for row, ending in endings.items() if ending == ".png"]
            pairs |= {row: pngs[-1] for row, ending in endings.items() if pngs and ending != ".png"}
    return pairs


def _is_junk(name: str) -> bool:
    """Say if a file is one that systems leave behind and nobody sees."""
    return any(part.startswith(".") or part.lower() in _JUNK for part in name.split("/"))


def count_words(endings: Counter[str]) -> str:
    words = ", ".join(f"{count:,} {ending}" for ending, count in endings.most_common(6))
    return words + (" and others" if len(endings) > 6 else "")
