"""Which of many files are pictures, masks or labels, by their names alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from xai_core.errors import InvalidSet

MAX_FILES = 200_000
MAX_BYTES = 25 * 2**20
"""Largest file that is looked into: what one picture may have anywhere here."""
TOO_HEAVY = (
    f"This file is larger than {MAX_BYTES // 2**20} MB, which is the most allowed for one picture. Save it smaller."
)
MAX_NAME = 1000
"""Letters of a name with its folders."""
TOO_LONG = "The name of this file, with its folders, is too long. Shorten it."

PICTURES = frozenset(".jpg .jpeg .jpe .jfif .png .webp .bmp .gif .tif .tiff .heic .heif .avif".split())
"""Endings of pictures; the last three are tried so that a sentence says what to do with them."""
_ARCHIVES = frozenset(".zip .rar .7z .tar .gz .tgz .bz2 .xz".split())
_BESIDE = frozenset("images image imgs img pictures photos".split())
"""Folders of pictures that have a folder of masks beside them."""
_JUNK = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
LABELS = "labels.csv"
_NESTED = "An archive inside is not opened. Unpack it first, and put its pictures beside the others."


class Files(Protocol):
    """Files of a zip or folder, by row. Many threads read at once."""

    @property
    def names(self) -> Sequence[str]:
        """Printable names inside the set, with / between folders."""

    def read(self, row: int) -> bytes:
        """At most MAX_BYTES. Raises InvalidImage for a damaged file, InvalidSet where nothing more is to be read."""

    def take(self, rows: npt.NDArray[np.intp]) -> Files:
        """Only these files."""

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """What must be kept, beside the names, to read them again."""


@dataclass(frozen=True)
class Listing:
    """What a zip or a folder holds: its files, and those that are not even tried, with the reason."""

    files: Files
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass
class Plan:
    """Rows of pictures and of the masks that belong to them, of the table of labels, and what is left out.

    `twins` are pictures with a PNG of just their name beside them: whether that is a mask is to be seen only when it is opened.
    """

    pictures: list[int] = field(default_factory=list)
    masks: dict[int, int] = field(default_factory=dict)
    twins: dict[int, int] = field(default_factory=dict)
    table: int | None = None
    skipped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def pair(self, masks: Mapping[int, int]) -> None:
        """Take these rows for masks of pictures, and for pictures no longer."""
        self.masks |= masks
        used = set(masks.values())
        self.pictures = [row for row in self.pictures if row not in used]


def none_of(count: int, what: str, reason: str) -> InvalidSet:
    """That no picture can be read, and why not the last one."""
    if count == 1:
        return InvalidSet(f"The only picture in this {what} cannot be read. {reason}")
    return InvalidSet(f"None of the {count:,} pictures in this {what} can be read. The last one: {reason}")


def not_now(error: OSError) -> InvalidSet:
    """That files cannot be opened at all at this moment, damaged or not."""
    return InvalidSet(
        f"The pictures cannot be opened now ({error.strerror or 'unknown trouble'}). Try again in a moment."
    )


def sort_out(listing: Listing, what: str) -> Plan:
    """Tell pictures, masks and labels apart; the pictures come in the order of their names. `what` is "zip" or "folder".

    Raises InvalidSet where there is no picture at all.
    """
    names = listing.files.names
    plan, other = Plan(), Counter[str]()
    for row in sorted(range(len(names)), key=names.__getitem__):
        _, file, ending = split(names[row])
        if _is_junk(names[row]):
            continue
        if ending in PICTURES:
            plan.pictures.append(row)
        elif ending in _ARCHIVES:
            plan.skipped.append((names[row], _NESTED))
        elif file.lower() + ending != LABELS:
            other[ending or "without an ending"] += 1
        elif plan.table is None or names[row].count("/") < names[plan.table].count("/"):
            plan.table = row
    stems = _stems(names, plan.pictures)
    plan.pair(_paired(names, plan.pictures, stems))
    plan.twins = _twins(names, stems, plan.masks)
    unread = [reason for name, reason in listing.skipped if split(name)[2] in PICTURES]
    if not plan.pictures and unread:
        raise none_of(len(unread), what, unread[-1])
    if not plan.pictures and plan.skipped:
        raise InvalidSet(f"There is no picture in this {what}, but an archive, which is not opened. Unpack it first.")
    if not plan.pictures:
        raise InvalidSet(
            f"There is no picture in this {what}.{_got(other)} Put JPEG, PNG or WebP files in it, best in one folder for each kind."
        )
    if other:
        plan.notes.append(
            f"Ignored, because their names do not end as a picture's does (.jpg, .png …): {_counts(other)}."
        )
    if plan.table is None and ".csv" in other:
        plan.notes.append(f"A table of labels is read where it is called {LABELS}.")
    return plan


def split(name: str) -> tuple[str, str, str]:
    """Folder, file and ending (".png", lower case) of a name: what pathlib says too, but 200,000 of them in a second."""
    folder, _, file = name.rpartition("/")
    dot = file.rfind(".")
    return (folder, file[:dot], file[dot:].lower()) if 0 < dot < len(file) - 1 else (folder, file, "")


def is_read(name: str) -> bool:
    """Whether a file of this name is looked into at all."""
    _, file, ending = split(name)
    return ending in PICTURES or file.lower() + ending == LABELS


def mask_names(name: str) -> tuple[str, ...]:
    """What a picture is called, without ending, that a PNG of this name is a mask of: rex for masks/rex.png, rex_mask.png, rex.mask.png.

    Of images/rex.jpg beside masks/rex.png the folder does not count.
    """
    folder, file, ending = split(name)
    if ending != ".png":
        return ()
    within = f"{folder}/" if folder else ""
    found = [f"{within}{file[:-5]}"] if len(file) > 5 and file.lower().endswith(("_mask", ".mask")) else []
    parts = folder.split("/")
    at = next((place for place, part in enumerate(parts) if part.lower() == "masks"), None)
    return (*found, "/".join([*parts[:at], *parts[at + 1 :], file])) if at is not None else tuple(found)


def _stems(names: Sequence[str], pictures: Sequence[int]) -> dict[str, list[int]]:
    """Rows by their name without its ending."""
    stems: dict[str, list[int]] = {}
    for row in pictures:
        folder, file, _ = split(names[row])
        stems.setdefault(f"{folder}/{file}" if folder else file, []).append(row)
    return stems


def _paired(names: Sequence[str], pictures: Sequence[int], stems: Mapping[str, Sequence[int]]) -> dict[int, int]:
    """Row of the mask for each picture that has one. A PNG in a folder "masks" without a picture of its name is a picture itself."""
    masks: dict[int, int] = {}
    beside = _beside(stems)
    for row in pictures:
        for stem in mask_names(names[row]):
            for picture in (*stems.get(stem, ()), *beside.get(stem, ())):
                masks.setdefault(picture, row)
    return masks


def _beside(stems: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Rows of pictures in folders such as "images", by their names without that folder."""
    found: dict[str, list[int]] = {}
    for stem, rows in stems.items():
        parts = stem.split("/")
        at = next((place for place, part in enumerate(parts[:-1]) if part.lower() in _BESIDE), None)
        if at is not None:
            found.setdefault("/".join([*parts[:at], *parts[at + 1 :]]), []).extend(rows)
    return found


def _twins(names: Sequence[str], stems: Mapping[str, Sequence[int]], masks: Mapping[int, int]) -> dict[int, int]:
    """Row of a PNG for each picture of another kind that has one of its name in its folder, where neither has to do with a mask."""
    used, twins = {*masks, *masks.values()}, dict[int, int]()
    for rows in stems.values():
        if len(rows) > 1:
            endings = {row: split(names[row])[2] for row in rows if row not in used}
            pngs = [row for row, ending in endings.items() if ending == ".png"]
            twins |= {row: pngs[-1] for row, ending in endings.items() if pngs and ending != ".png"}
    return twins


def _is_junk(name: str) -> bool:
    """What systems leave behind and nobody sees."""
    return any(part.startswith(".") or part.lower() in _JUNK for part in name.split("/"))


def _counts(other: Counter[str]) -> str:
    shown = ", ".join(f"{count:,} {ending}" for ending, count in other.most_common(6))
    return shown + (" and others" if len(other) > 6 else "")


def _got(other: Counter[str]) -> str:
    return f" Got {_counts(other)}." if other else ""
