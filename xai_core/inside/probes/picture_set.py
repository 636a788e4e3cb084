"""Probes from a picture set: its objects' masks, or its classes as whole pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from PIL import Image

from xai_core.arrays import Bool, Int, Int64
from xai_core.errors import InvalidParam
from xai_core.inside.probes.probe import MAX_CONCEPTS, MAX_PICTURES, ConceptProbe, LazySequence, make_key

OBJECT = "any object"
# Every so many pictures one is held back to test labels on.
_HELD_OUT_EVERY = 4
MIN_PICTURES = 10


class LabelledPictures(Protocol):
    """An image set: pictures by number, with labels and masks."""

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def labels(self) -> Int: ...

    @property
    def mask_flags(self) -> Bool: ...

    def __len__(self) -> int: ...

    def open(self, index: int) -> Image.Image: ...

    def mask(self, index: int) -> Bool | None: ...


def probe_from_masks(pictures: LabelledPictures) -> ConceptProbe:
    """Return a probe of a set's pictures that have a mask: "any object", and the objects of each class.

    A quarter of the pictures is held back. Raises InvalidParam for fewer than ten pictures with a mask.
    """
    rows = np.flatnonzero(pictures.mask_flags)
    if len(rows) < MIN_PICTURES:
        raise InvalidParam(
            f"“{pictures.title}” has masks for {len(rows)} pictures, and at least {MIN_PICTURES} are needed. Upload a "
            "set with a mask beside each picture (rex.jpg and rex_mask.png), or with transparent pictures."
        )

    def read_object(row: int) -> Bool:
        mask, picture = pictures.mask(row), pictures.open(row)
        return np.zeros((picture.height, picture.width), np.bool_) if mask is None else mask

    return _make_probe(pictures, rows, read_object, OBJECT, "masks")


def probe_from_classes(pictures: LabelledPictures) -> ConceptProbe:
    """Return a probe whose concepts are a set's classes; each covers its whole pictures.

    Such a concept covers far more than a unit's mask can, so its IoU stays low. Raises InvalidParam for a set in which
    no class has ten pictures.
    """
    rows = np.flatnonzero(np.asarray(pictures.labels) >= 0)

    def read_whole(row: int) -> Bool:
        picture = pictures.open(row)
        return np.ones((picture.height, picture.width), np.bool_)

    return _make_probe(pictures, rows, read_whole, None, "classes")


def _make_probe(
    pictures: LabelledPictures, rows: Int64, read: Callable[[int], Bool], whole: str | None, kind: str
) -> ConceptProbe:
    """Return the probe of these rows: the concept `whole`, if any, and each class of enough of them."""
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MAX_PICTURES)).astype(np.int64))]
    labels = np.asarray(pictures.labels)
    counts = np.bincount(labels[rows][labels[rows] >= 0], minlength=len(pictures.classes))
    # A quarter is held back, and the rest must still be enough.
    kinds = [int(row) for row in np.flatnonzero(counts * (1 - 1 / _HELD_OUT_EVERY) >= MIN_PICTURES)][: MAX_CONCEPTS - 1]
    if not kinds and whole is None:
        raise InvalidParam(
            f"No class of “{pictures.title}” has enough pictures to be a concept: {MIN_PICTURES} are needed, and as "
            "many again as a third of that to test with. Choose a larger set."
        )
    concepts = ([] if whole is None else [whole]) + [pictures.classes[row] for row in kinds]
    order = _order_by_class(rows, labels[rows])

    def make(part: Int64, held_out: ConceptProbe | None) -> ConceptProbe:
        def read_masks(number: int) -> Bool:
            row = int(part[number])
            pixels = read(row)
            shows = [True] * (whole is not None) + [int(labels[row]) == entry for entry in kinds]
            return pixels[None] & np.array(shows, dtype=np.bool_)[:, None, None]

        return ConceptProbe(
            pictures=LazySequence(len(part), lambda number: pictures.open(int(part[number]))),
            masks=LazySequence(len(part), read_masks),
            concepts=concepts,
            held_out=held_out,
            title=pictures.title,
            key=make_key("set", kind, pictures.id, part.tolist()),
        )

    is_held_out = np.arange(len(order)) % _HELD_OUT_EVERY == _HELD_OUT_EVERY - 1
    return make(order[~is_held_out], make(order[is_held_out], None))


def _order_by_class(rows: Int64, labels: Int) -> Int64:
    """Return the rows class by class, so that every fourth one takes a quarter of each class."""
    return rows[np.argsort(labels, kind="stable")]
