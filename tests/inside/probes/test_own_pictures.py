"""A concept of somebody's own pictures stands beside the drawn ones: whole pictures, a quarter held back."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from xai_core import InvalidParam, inside

PICTURES = [Image.new("RGB", (9, 7 + number), (number, 0, 0)) for number in range(16)]


def test_own_pictures_are_one_more_concept_beside_the_drawn_ones() -> None:
    base = inside.draw_probe(20, held_out=8)
    probe = inside.add_concept(base, " grass ", PICTURES, "hash")
    assert probe.concepts == (*base.concepts, "grass") and probe.held_out is not None and base.held_out is not None
    assert (len(probe), len(probe.held_out)) == (20 + 12, 8 + 4)
    own = {
        part: [part.read(row) for row in range(first, len(part))] for part, first in ((probe, 20), (probe.held_out, 8))
    }
    reds = [[picture.getpixel((0, 0))[0] for picture, _ in pairs] for pairs in own.values()]
    assert sorted(reds[0] + reds[1]) == list(range(16)), "each picture once"
    for picture, masks in own[probe] + own[probe.held_out]:
        assert masks[-1].all() and not masks[:-1].any() and masks.shape[1:] == (picture.height, picture.width)
    for part, source in ((probe, base), (probe.held_out, base.held_out)):
        picture, masks = part.read(3)
        assert picture.tobytes() == source.read(3)[0].tobytes() and not masks[-1].any()
        np.testing.assert_array_equal(masks[:-1], source.read(3)[1])
    keys = {
        inside.add_concept(base, name, PICTURES, key).key
        for name, key in (("grass", "hash"), ("grass", "b"), ("a", "b"))
    }
    assert len(keys) == 3 and probe.key in keys
    assert inside.add_concept(base, "grass", PICTURES).key == ""


@pytest.mark.parametrize(
    ("name", "count", "words"),
    [
        ("grass", 12, "at least 13 pictures"),
        ("", 16, "needs a name"),
        ("red", 16, "needs a name"),
        ("x" * 41, 16, "40 letters"),
    ],
)
def test_too_few_pictures_and_names_that_do_not_fit_are_refused(name: str, count: int, words: str) -> None:
    with pytest.raises(InvalidParam, match=words):
        inside.add_concept(inside.draw_probe(10), name, PICTURES[:count])
