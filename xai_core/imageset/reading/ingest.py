"""Reading a zip or a folder once, picture by picture: what can be read, its thumbnail, its label, its mask, and a hash of it all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from xai_core.arrays import Bool, Int32
from xai_core.engine.cores import CORES
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidImage
from xai_core.images import Picture, read_image, resize
from xai_core.imageset.reading.file_roles import Files, Listing, Plan, none_of, sort_out
from xai_core.imageset.reading.labels import folder_labels, numbered, table_labels
from xai_core.imageset.reading.masks import alpha_mask, drawn_mask, has_alpha, is_drawn
from xai_core.imageset.runs.loader import in_order
from xai_core.imageset.sets.disk import VERSION
from xai_core.imageset.thumbnails import thumb

P = TypeVar("P")
T = TypeVar("T")

NO_MASK, ALPHA = -1, -2
"""In place of the row of a mask's file."""
_LISTED = 1000
WORKERS = min(4, CORES)
"""Threads that decode."""
_AHEAD = 4 * WORKERS


class FileSource:
    """Pictures that are files: the first N rows of `files`. `masks` (N,) are rows of files too, or NO_MASK or ALPHA."""

    def __init__(self, files: Files, masks: Int32) -> None:
        self._files, self._masks = files, masks

    def picture(self, index: int) -> Picture:
        return read_image(self._files.read(index))

    def mask(self, index: int) -> Bool | None:
        row = int(self._masks[index])
        if row == NO_MASK:
            return None
        data = self._files.read(index)
        return _mask(self._files, data, row, read_image(data).size)


@dataclass(frozen=True)
class Read:
    """What reading left, in the order of the names; thumbnails lie in their file. `files` has the pictures first and then the masks."""

    names: tuple[str, ...]
    mask_names: tuple[str, ...]
    files: Files
    masks: Int32
    labels: Int32
    classes: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    unread: int
    digest: str


@dataclass(frozen=True)
class _Look:
    """One picture, looked at: its thumbnail, the row of its mask, and a hash of both files."""

    thumb: bytes
    mask: int
    digest: bytes
    lost_mask: bool = False


@dataclass
class _Course:
    """What has been seen so far of the pictures of a plan. `at` counts its pictures."""

    plan: Plan
    files: Files
    labels: Sequence[str]
    kept: list[int] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    lost: int = 0

    def name(self, at: int) -> str:
        return self.files.names[self.plan.pictures[at]]

    def keep(self, at: int, look: _Look) -> bytes:
        """Count a picture in; its line in the hash of the set."""
        self.kept.append(at)
        self.masks.append(look.mask)
        self.lost += look.lost_mask
        return repr((self.name(at), self.labels[at], look.digest)).encode()

    def read(self, notes: Sequence[str], digest: str) -> Read:
        """Everything kept, its files numbered anew: the pictures, then their masks."""
        drawn = sorted({row for row in self.masks if row >= 0})
        place = {row: len(self.kept) + at for at, row in enumerate(drawn)}
        labels, classes = numbered([self.labels[at] for at in self.kept])
        return Read(
            names=tuple(map(self.name, self.kept)),
            mask_names=tuple(self.files.names[row] for row in drawn),
            files=self.files.take(np.array([*(self.plan.pictures[at] for at in self.kept), *drawn], dtype=np.intp)),
            masks=np.array([place.get(row, row) for row in self.masks], dtype=np.int32),
            labels=labels,
            classes=classes,
            skipped=tuple(self.skipped[:_LISTED]),
            notes=(*notes, *_counted(self.lost)),
            unread=len(self.skipped),
            digest=digest,
        )


def read_listing(listing: Listing, what: str, thumbnails: Path, seed: str = "", job: Job[Any] | None = None) -> Read:
    """Read every picture of a listing once and write the thumbnails. `what` is "zip" or "folder"; `seed` goes into the hash.

    A file that is no picture is skipped. Raises InvalidSet where none is left, or for a bomb; Cancelled within a few pictures.
    """
    resize.soon()
    files = listing.files
    plan = sort_out(listing, what)
    _tell_twins(plan, files, job)
    labels, said = _labels(plan, files)
    course = _Course(plan, files, labels, skipped=[*listing.skipped, *plan.skipped])
    digest = hashlib.sha256(f"{what} {VERSION} {seed}".encode(errors="surrogateescape"))
    if job is not None:
        job.expect(job.done + len(plan.pictures))
    with (
        thumbnails.open("wb") as out,
        _ahead(lambda row: _look(files, row, plan.masks.get(row)), plan.pictures) as looks,
    ):
        for at, look in enumerate(looks):
            if isinstance(look, _Look):
                out.write(look.thumb)
                digest.update(course.keep(at, look))
            else:
                course.skipped.append((course.name(at), str(look)))
            if job is not None:
                job.tick(1)
    if not course.kept:
        raise none_of(len(plan.pictures), what, course.skipped[-1][1])
    # What was left out belongs to this set, too.
    digest.update(repr((course.skipped, plan.notes, said)).encode(errors="surrogatepass"))
    return course.read([*plan.notes, *said], digest.hexdigest())


def _tell_twins(plan: Plan, files: Files, job: Job[Any] | None) -> None:
    """Take PNGs that are drawn like masks, and fit, for those of the pictures of their name."""
    pairs = list(plan.twins.items())
    if job is not None:
        job.expect(job.done + len(pairs) + len(plan.pictures))
    masks = {}
    with _ahead(lambda pair: _is_mask(files, *pair), pairs) as looks:
        for (picture, png), drawn in zip(pairs, looks, strict=True):
            if drawn:
                masks[picture] = png
            if job is not None:
                job.tick(1)
    plan.pair(masks)


def _is_mask(files: Files, picture: int, png: int) -> bool:
    try:
        data = files.read(png)
        return is_drawn(data) and drawn_mask(data, read_image(files.read(picture)).size) is not None
    except InvalidImage:  # whoever reads it as a picture will say why
        return False


def _labels(plan: Plan, files: Files) -> tuple[list[str], list[str]]:
    names = [files.names[row] for row in plan.pictures]
    by_folder = folder_labels(names)
    if plan.table is None:
        return by_folder, _only_folder(names, by_folder)
    try:
        found, notes = table_labels(files.read(plan.table), files.names[plan.table], names)
    except InvalidImage as error:
        found, notes = None, [f"labels.csv could not be read. {error}"]
    if found is not None:
        return found, notes
    return by_folder, [*notes, *(["The folders were taken for labels instead."] if any(by_folder) else [])]


def _only_folder(names: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Why pictures that do lie in a folder have no labels."""
    folders = {name.rpartition("/")[0] for name in names}
    if any(labels) or len(folders) != 1 or "" in folders:
        return []
    return [
        f"All pictures lie in one folder, “{folders.pop()}”, which tells none of them apart. A table labels.csv can give them labels."
    ]


def _look(files: Files, row: int, mask_row: int | None) -> _Look | InvalidImage:
    """A picture that cannot be read is an answer, not an end."""
    try:
        data = files.read(row)
        picture = read_image(data)
    except InvalidImage as error:
        return error
    small, digest = thumb(picture).tobytes(), hashlib.sha256(data).digest()
    where = mask_row if mask_row is not None else ALPHA if has_alpha(data) else NO_MASK
    found = None
    try:
        if where >= 0:
            digest += hashlib.sha256(files.read(where)).digest()
        if where != NO_MASK:
            found = _mask(files, data, where, picture.size)
    except InvalidImage:
        pass  # the picture is fine without its mask
    return _Look(small, where if found is not None else NO_MASK, digest, lost_mask=found is None and where >= 0)


def _mask(files: Files, data: bytes, row: int, size: tuple[int, int]) -> Bool | None:
    return alpha_mask(data, size) if row == ALPHA else drawn_mask(files.read(row), size)


def _counted(lost: int) -> Iterator[str]:
    if lost:
        yield f"Masks left out, because they cannot be read, have another shape than their picture, or mark all or nothing of it: {lost:,}."


def _ahead(work: Callable[[P], T], items: Iterable[P]) -> AbstractContextManager[Iterator[T]]:
    """`work` of each item in order, done by a few threads a few items ahead of whoever takes them."""
    return closing(in_order(work, items, _AHEAD, WORKERS))
