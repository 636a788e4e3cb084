"""Sheets of tiles: every picture is where the browser looks for it, and shows nothing of the one beside it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from xai_core.render.atlas import ACROSS, Thumbs, draw_sheets, name_thumbs

SIDE = 48


def tile(created: tuple[bytes, ...], at: int) -> np.ndarray:
    item = ACROSS * ACROSS
    sheet = np.asarray(Image.open(io.BytesIO(created[at // item])), dtype=int)
    row, column = divmod(at % item, ACROSS)
    return sheet[SIDE * row : SIDE * (row + 1), SIDE * column : SIDE * (column + 1)]


def test_every_tile_is_in_its_place_and_keeps_to_itself() -> None:
    rng = np.random.default_rng(0)
    flat = rng.integers(0, 256, (300, 1, 1, 3), dtype=np.uint8)
    pictures = np.broadcast_to(flat, (300, SIDE, SIDE, 3))
    rows = rng.permutation(300)[:275]
    created = draw_sheets(Thumbs("set", pictures, rows))
    assert len(created) == 2
    assert Image.open(io.BytesIO(created[1])).size == (ACROSS * SIDE, 2 * SIDE), "275 are 256 and two rows"
    for at in (0, 1, 15, 16, 255, 256, 274):
        np.testing.assert_allclose(tile(created, at), np.broadcast_to(flat[rows[at]], (SIDE, SIDE, 3)), atol=4)


def test_a_real_picture_is_still_itself() -> None:
    ramp = np.linspace(0, 255, SIDE)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], 90.0), axis=2).astype(np.uint8)
    created = draw_sheets(name_thumbs(np.stack([255 - picture, picture])))
    assert np.abs(tile(created, 1) - picture).mean() < 3


def test_the_key_is_the_content() -> None:
    pictures = np.zeros((4, SIDE, SIDE, 3), dtype=np.uint8)
    first = Thumbs("set", pictures, np.array([0, 1]))
    assert first.key == Thumbs("set", pictures + 1, np.array([0, 1], dtype=np.int32)).key, (
        "the name stands for the pictures"
    )
    others = [
        Thumbs("other", pictures, np.array([0, 1])),
        Thumbs("set", pictures, np.array([1, 0])),
        Thumbs("set", pictures[:, :32, :32], first.rows),
    ]
    assert len({first.key, *(second.key for second in others)}) == 4
    assert name_thumbs(pictures).key == name_thumbs(pictures.copy()).key != name_thumbs(pictures + 1).key
