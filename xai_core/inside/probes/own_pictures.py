"""A probe with one more concept: pictures that somebody brings, each of which shows it as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from xai_core.arrays import Bool
from xai_core.errors import InvalidParam
from xai_core.inside.probes.picture_set import MIN_PICTURES
from xai_core.inside.probes.probe import ConceptProbe, LazySequence, make_key

# Every so many pictures one is held back to test labels on; the rest must be enough.
HELD_OUT_EVERY = 4
MIN_OWN = next(count for count in range(MIN_PICTURES, 100) if count - count // HELD_OUT_EVERY >= MIN_PICTURES)
MAX_NAME = 40


def add_concept(base: ConceptProbe, name: str, pictures: Sequence[Image.Image], key: str = "") -> ConceptProbe:
    """Return a probe of the pictures of `base` and these, which show the concept `name` and none of the others.

    A quarter is held back with those of `base`. `key` is a hash of the pictures' contents; "" for unknown ones.

    Raises InvalidParam for fewer than MIN_OWN pictures, and for a name that is empty, long or taken.
    """
    name = name.strip()
    if not name or len(name) > MAX_NAME or name in base.concepts:
        raise InvalidParam(
            f"The concept needs a name of 1 to {MAX_NAME} letters that no drawn concept has. Got {name[:60]!r}."
        )
    if len(pictures) < MIN_OWN:
        raise InvalidParam(
            f"A concept needs at least {MIN_OWN} pictures: {MIN_PICTURES} to compare with, the others to test it. Got "
            f"{len(pictures)}."
        )
    rows = np.arange(len(pictures))
    held_out = rows % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    tested = base.held_out
    if tested is None:
        return _join(base, name, pictures, rows.tolist(), None, key)
    tests = _join(tested, name, pictures, rows[held_out].tolist(), None, key)
    return _join(base, name, pictures, rows[~held_out].tolist(), tests, key)


def _join(
    base: ConceptProbe,
    name: str,
    pictures: Sequence[Image.Image],
    rows: Sequence[int],
    held_out: ConceptProbe | None,
    key: str,
) -> ConceptProbe:
    def read_picture(number: int) -> Image.Image:
        return base.pictures[number] if number < len(base) else pictures[rows[number - len(base)]]

    def read_masks(number: int) -> Bool:
        if number < len(base):
            masks = np.asarray(base.masks[number], dtype=np.bool_)
            return np.concatenate([masks, np.zeros((1, *masks.shape[1:]), np.bool_)])
        picture = read_picture(number)
        masks = np.zeros((len(base.concepts) + 1, picture.height, picture.width), np.bool_)
        masks[-1] = True
        return masks

    count = len(base) + len(rows)
    return ConceptProbe(
        pictures=LazySequence(count, read_picture),
        masks=LazySequence(count, read_masks),
        concepts=(*base.concepts, name),
        held_out=held_out,
        title=name,
        key=make_key("own", base.key, name, key, list(rows)) if base.key and key else "",
    )
