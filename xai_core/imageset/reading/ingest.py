"""Reading a zip or a folder once, picture by picture, into the record of a set and the file of its thumbnails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from xai_core.engine.cores import CORES
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidImage, InvalidSet
from xai_core.images import NOTHING_TO_SEE, ON_WHITE, read_image_file
from xai_core.imageset.prefetch import prefetch
from xai_core.imageset.reading.file_roles import FileRoles, Files, assign_roles, count_words, is_picture
from xai_core.imageset.reading.labels import assign_labels, encode_labels
from xai_core.imageset.reading.masks import has_alpha, is_mask_of, read_mask
from xai_core.imageset.record import ALPHA_MASK, FOLDER, NO_MASK, READING_VERSION, ZIP, SetRecord
from xai_core.imageset.thumbnails import make_thumbnail

P = TypeVar("P")
T = TypeVar("T")

# Skipped files that a record names.
MAX_LISTED = 1000
# Notes about single pictures that a record has.
MAX_PICTURE_NOTES = 5
# Threads that decode.
WORKERS = min(4, CORES)
_AHEAD = 4 * WORKERS


def ingest(
    files: Files,
    kind: str,
    thumbnails: Path,
    *,
    title: str,
    origin: str,
    name: str = "",
    root: str = "",
    job: Job[Any] | None = None,
) -> SetRecord:
    """Read every picture once, write the thumbnails to a file, and return the rest as a record.

    A file that is no picture is skipped. Raises InvalidSet where none is left, or for a bomb; Cancelled within a few
    pictures.
    """
    job = job or Job()
    container = ZIP if kind == ZIP else FOLDER
    roles = assign_roles(files.names)
    _check_any_picture(files, roles, container)
    masks = roles.masks | _find_same_stem_masks(files, roles, job)
    pictures = _exclude_masks(roles.pictures, masks)
    labels, label_notes = assign_labels(files, pictures, roles)

    skipped = [*files.skipped_files, *roles.skipped_files]
    seed = "" if kind == ZIP else f"{kind} {root}"
    digest = hashlib.sha256(f"{container} {READING_VERSION} {seed}".encode(errors="surrogateescape"))
    accepted, picture_notes = _ingest_images(files, pictures, masks, labels, thumbnails, skipped, digest, job)
    if not accepted:
        raise _none_readable(len(pictures), container, skipped[-1][1])
    # The files that were left out belong to the set, too.
    digest.update(repr((skipped, files.notes, roles.notes, label_notes)).encode(errors="surrogatepass"))

    # Number the files anew: the pictures, then their masks.
    rows, accepted_labels, accepted_masks = zip(*accepted, strict=True)
    mask_rows = sorted({row for row in accepted_masks if row >= 0})
    places = {row: len(rows) + place for place, row in enumerate(mask_rows)}
    used_files = files.take(np.array([*rows, *mask_rows], dtype=np.intp))
    label_rows, classes = encode_labels(accepted_labels)
    set_id = digest.hexdigest()[:24]
    return SetRecord(
        id=set_id,
        kind=kind,
        name=name or set_id,
        title=title,
        names=tuple(used_files.names[: len(rows)]),
        labels=label_rows,
        classes=classes,
        masks=np.array([places.get(row, row) for row in accepted_masks], dtype=np.int32),
        origin=origin,
        skipped_files=tuple(skipped[:MAX_LISTED]),
        notes=(*files.notes, *roles.notes, *label_notes, *picture_notes),
        unread=len(skipped),
        mask_names=tuple(used_files.names[len(rows) :]),
        root=root,
        file_index=used_files.index_arrays(),
    )


def _ingest_images(
    files: Files,
    pictures: Sequence[int],
    masks: Mapping[int, int],
    labels: Sequence[str],
    thumbnails: Path,
    skipped: list[tuple[str, str]],
    digest: hashlib._Hash,
    job: Job[Any],
) -> tuple[list[tuple[int, str, int]], list[str]]:
    """Return row, label and mask of each picture that can be read, and notes on how pictures and masks were read.

    Thumbnails go to their file, the contents into the digest, and unreadable pictures to `skipped`.
    """
    accepted, lost_masks = [], 0
    noted: dict[str, list[int]] = {}
    job.expect(job.done + len(pictures))
    read = _ahead(lambda row: ingest_image(files, row, masks.get(row)), pictures)
    with thumbnails.open("wb") as out, read as images:
        for row, label, image in zip(pictures, labels, images, strict=True):
            if isinstance(image, InvalidImage):
                skipped.append((files.names[row], str(image)))
            else:
                out.write(image.thumbnail)
                digest.update(repr((files.names[row], label, image.digest)).encode())
                accepted.append((row, label, image.mask))
                lost_masks += image.lost_mask
                for note in image.notes:
                    noted.setdefault(note, []).append(row)
            job.tick(1)
    return accepted, [*_picture_notes(files, noted), *_lost_mask_notes(lost_masks)]


@dataclass(frozen=True)
class IngestedImage:
    """One picture, read once: its thumbnail, the row of its mask, and a hash of both files."""

    thumbnail: bytes
    mask: int
    digest: bytes
    lost_mask: bool = False
    """A mask belongs to it that cannot be used."""
    notes: tuple[str, ...] = ()
    """Sentences on how the picture was read."""


def ingest_image(files: Files, row: int, mask_row: int | None) -> IngestedImage | InvalidImage:
    """Read a picture and its mask; a picture that cannot be read is a result, not an end."""
    try:
        data = files.read(row)
        file = read_image_file(data)
    except InvalidImage as error:
        return error
    digest = hashlib.sha256(data).digest()
    place = mask_row if mask_row is not None else ALPHA_MASK if has_alpha(data) else NO_MASK
    mask = None
    try:
        if place >= 0:
            digest += hashlib.sha256(files.read(place)).digest()
        if place != NO_MASK:
            mask = read_mask(files, data, place, file.image.size)
    except InvalidImage:
        # The picture is fine without its mask.
        pass
    lost = mask is None and place >= 0
    thumbnail = make_thumbnail(file.image).tobytes()
    # Among many pictures these are no surprise.
    notes = tuple(note for note in file.notes if note not in (NOTHING_TO_SEE, ON_WHITE))
    return IngestedImage(thumbnail, NO_MASK if mask is None else place, digest, lost, notes)


def _check_any_picture(files: Files, roles: FileRoles, container: str) -> None:
    if roles.pictures:
        return
    unread = [reason for name, reason in files.skipped_files if is_picture(name)]
    if unread:
        raise _none_readable(len(unread), container, unread[-1])
    if roles.skipped_files:
        raise InvalidSet(
            f"There is no picture in this {container}, but an archive, which is not opened. Unpack it first."
        )
    got = f" Got {count_words(roles.ignored)}." if roles.ignored else ""
    raise InvalidSet(
        f"There is no picture in this {container}.{got} "
        "Put JPEG, PNG or WebP files in it, best in one folder for each kind."
    )


def _none_readable(count: int, container: str, reason: str) -> InvalidSet:
    """Build the error of a zip or folder of which no picture can be read, with the reason of the last."""
    if count == 1:
        return InvalidSet(f"The only picture in this {container} cannot be read. {reason}")
    return InvalidSet(f"None of the {count:,} pictures in this {container} can be read. The last one: {reason}")


def _exclude_masks(pictures: Sequence[int], masks: Mapping[int, int]) -> list[int]:
    used = set(masks.values())
    return [row for row in pictures if row not in used]


def _find_same_stem_masks(files: Files, roles: FileRoles, job: Job[Any]) -> dict[int, int]:
    """Map pictures to the same-stem PNG of equal shape that is drawn like a mask."""
    pairs = list(roles.same_stem_pngs.items())
    job.expect(job.done + len(pairs) + len(_exclude_masks(roles.pictures, roles.masks)))
    masks = {}
    with _ahead(lambda pair: is_mask_of(files, *pair), pairs) as answers:
        for (picture, png), is_mask in zip(pairs, answers, strict=True):
            if is_mask:
                masks[picture] = png
            job.tick(1)
    return masks


def _picture_notes(files: Files, noted: Mapping[str, Sequence[int]]) -> Sequence[str]:
    """Return each sentence about pictures once, the commonest first, with the number of pictures."""
    ranked = sorted(noted.items(), key=lambda entry: -len(entry[1]))
    notes = []
    for note, rows in ranked[:MAX_PICTURE_NOTES]:
        first = f"“{files.names[rows[0]]}”"
        notes.append(f"{first}: {note}" if len(rows) == 1 else f"{len(rows):,} pictures, the first is {first}: {note}")
    rest = sum(len(rows) for _, rows in ranked[MAX_PICTURE_NOTES:])
    return [*notes, *([f"More pictures with notes like these: {rest:,}."] if rest else [])]


def _lost_mask_notes(count: int) -> Sequence[str]:
    if not count:
        return ()
    reason = "because they cannot be read, have another shape than their picture, or mark all or nothing of it"
    return (f"Masks left out, {reason}: {count:,}.",)


def _ahead(function: Callable[[P], T], items: Iterable[P]) -> AbstractContextManager[Iterator[T]]:
    """Give the function's results in order, computed by a few threads a few items early."""
    return closing(prefetch(function, items, _AHEAD, WORKERS))
