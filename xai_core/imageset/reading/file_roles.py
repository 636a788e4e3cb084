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
# Files and folders that systems, editors and cloud programs leave behind.
_LITTER = frozenset(
    "__macosx .ds_store .appledouble .lsoverride .trashes .trash .spotlight-v100 .fseventsd .temporaryitems "
    ".documentrevisions-v100 .localized thumbs.db ehthumbs.db ehthumbs_vista.db desktop.ini $recycle.bin recycler "
    "recycled .thumbnails .thumb .thumbs .picasa.ini .picasaoriginals .nomedia @eadir #recycle @recycle .@__thumb "
    "@tmp .directory lost+found .ipynb_checkpoints __pycache__ .git .svn .hg .idea .vscode .cache .dropbox "
    ".dropbox.cache .gitattributes .gitignore .gitkeep .keep".split()
) | {"icon\r", "system volume information"}
_LITTER_BEGINNINGS = ("._", "~$", ".~lock", ".trash-", ".fuse_hidden", ".nfs", ".syncthing.")
# Tables or lists that name the numbers in labels.csv.
CODE_NAMES = frozenset(
    f"{name}{ending}"
    for name in (
        "classes class_names classnames label_names labelnames names categories class_map label_map class_dict".split()
    )
    for ending in (".csv", ".txt", ".names")
) | {"labels.txt", "obj.names"}
_NESTED = "An archive inside is not opened. Unpack it first, and put its pictures beside the others."


class Files(Protocol):
    """Files of a zip or folder, by row. Many threads read at once."""

    @property
    def names(self) -> Sequence[str]:
        """Printable names inside the set, with / between folders."""

    @property
    def skipped_files(self) -> Sequence[tuple[str, str]]:
        """Name and reason of files that are not even tried."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on how the names were read."""

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
    code_names: int | None = None
    """Row of the file that names the numbers in the table."""
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
    roles, hidden = FileRoles(), 0
    for row in sorted(range(len(names)), key=names.__getitem__):
        _, stem, ending = split_name(names[row])
        if is_litter(names[row]):
            continue
        if _is_hidden(names[row]):
            hidden += (ending or stem.lower()) in PICTURE_ENDINGS
        elif ending in PICTURE_ENDINGS:
            roles.pictures.append(row)
        elif ending in _ARCHIVE_ENDINGS:
            roles.skipped_files.append((names[row], _NESTED))
        elif (file := stem.lower() + ending) in CODE_NAMES and roles.code_names is None:
            roles.code_names = row
        elif file != LABELS:
            roles.ignored[ending or "without an ending"] += 1
        elif roles.table is None or names[row].count("/") < names[roles.table].count("/"):
            roles.table = row
    if roles.table is None and roles.code_names is not None:
        roles.ignored[split_name(names[roles.code_names])[2]] += 1
        roles.code_names = None
    stems = _group_by_stem(names, roles.pictures)
    roles.masks = _pair_by_name(names, roles.pictures, stems)
    roles.same_stem_pngs = _find_same_stem_pngs(names, stems, roles.masks)
    if roles.ignored:
        endings = count_words(roles.ignored)
        roles.notes.append(f"Ignored, because their names do not end as a picture's does (.jpg, .png …): {endings}.")
    if hidden:
        roles.notes.append(f"Left out, because their names or folders begin with a dot and are hidden: {hidden:,}.")
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
    file = stem.lower() + ending
    return (ending in PICTURE_ENDINGS or file == LABELS or file in CODE_NAMES) and not is_litter(name)


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


def is_litter(name: str) -> bool:
    """Say if a file is one that systems leave behind and nobody sees, or lies in such a folder.

    >>> is_litter("__MACOSX/cat/._1.jpg"), is_litter("cat/Thumbs.db"), is_litter("cat/1.jpg")
    (True, True, False)
    """
    parts = name.lower().split("/")
    return any(part in _LITTER or part.startswith(_LITTER_BEGINNINGS) for part in parts)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or "/." in name


def count_words(endings: Counter[str]) -> str:
    words = ", ".join(f"{count:,} {ending}" for ending, count in endings.most_common(6))
    return words + (" and others" if len(endings) > 6 else "")
