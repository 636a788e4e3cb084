"""Reading a zip or a folder once, picture by picture, into the record of a set and the file of its thumbnails."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from xai_core.engine.cores import CORES
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidImage
from xai_core.imageset.prefetch import prefetch
from xai_core.imageset.reading.file_roles import FileRoles, Files, assign_roles, none_readable
from xai_core.imageset.reading.labels import assign_labels, encode_labels
from xai_core.imageset.reading.masks import ingest_image, is_mask_of
from xai_core.imageset.record import FOLDER, VERSION, ZIP, SetRecord

MAX_LISTED = 1000
"""Skipped files that a record names."""
WORKERS = min(4, CORES)
"""Threads that decode."""
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
    roles = assign_roles(files, container)
    _find_same_stem_masks(files, roles, job)
    labels, label_notes = assign_labels(files, roles)

    skipped = [*files.skipped, *roles.skipped]
    seed = "" if kind == ZIP else f"{kind} {root}"
    digest = hashlib.sha256(f"{container} {VERSION} {seed}".encode(errors="surrogateescape"))
    accepted, lost_masks = _ingest_images(files, roles, labels, thumbnails, skipped, digest, job)
    if not accepted:
        raise none_readable(len(roles.pictures), container, skipped[-1][1])
    # The files that were left out belong to the set, too.
    digest.update(repr((skipped, roles.notes, label_notes)).encode(errors="surrogatepass"))

    # Number the files anew: the pictures, then their masks.
    rows, accepted_labels, masks = zip(*accepted, strict=True)
    mask_rows = sorted({row for row in masks if row >= 0})
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
        masks=np.array([places.get(row, row) for row in masks], dtype=np.int32),
        origin=origin,
        skipped=tuple(skipped[:MAX_LISTED]),
        notes=(*roles.notes, *label_notes, *_lost_mask_notes(lost_masks)),
        unread=len(skipped),
        mask_names=tuple(used_files.names[len(rows) :]),
        root=root,
        file_index=used_files.index_arrays(),
    )


def _ingest_images(
    files: Files,
    roles: FileRoles,
    labels: Sequence[str],
    thumbnails: Path,
    skipped: list[tuple[str, str]],
    digest: hashlib._Hash,
    job: Job[Any],
) -> tuple[list[tuple[int, str, int]], int]:
    """Return row, label and mask of each picture that can be read, and the number of masks that cannot be used.

    Thumbnails go to their file, the contents into the digest, and unreadable pictures to `skipped`.
    """
    accepted, lost_masks = [], 0
    job.expect(job.done + len(roles.pictures))
    images = prefetch(lambda row: ingest_image(files, row, roles.masks.get(row)), roles.pictures, _AHEAD, WORKERS)
    with thumbnails.open("wb") as out, closing(images):
        for row, label, image in zip(roles.pictures, labels, images, strict=True):
            if isinstance(image, InvalidImage):
                skipped.append((files.names[row], str(image)))
            else:
                out.write(image.thumbnail)
                digest.update(repr((files.names[row], label, image.digest)).encode())
                accepted.append((row, label, image.mask))
                lost_masks += image.lost_mask
            job.tick(1)
    return accepted, lost_masks


def _find_same_stem_masks(files: Files, roles: FileRoles, job: Job[Any]) -> None:
    """Pair each picture with the same-stem PNG of equal shape that is drawn like a mask."""
    pairs = list(roles.same_stem_pngs.items())
    job.expect(job.done + len(pairs) + len(roles.pictures))
    masks = {}
    answers = prefetch(lambda pair: is_mask_of(files, *pair), pairs, _AHEAD, WORKERS)
    with closing(answers):
        for (picture, png), is_mask in zip(pairs, answers, strict=True):
            if is_mask:
                masks[picture] = png
            job.tick(1)
    roles.add_masks(masks)


def _lost_mask_notes(count: int) -> Sequence[str]:
    if not count:
        return ()
    reason = "because they cannot be read, have another shape than their picture, or mark all or nothing of it"
    return (f"Masks left out, {reason}: {count:,}.",)
