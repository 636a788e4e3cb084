"""Painted masks as text and as run lengths: there and back, short, and safe against foreign text."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from xai_core import InvalidParam
from xai_core.what_if import decode_mask, encode_mask, mask_of_runs, runs_of

Mask = npt.NDArray[np.bool_]
masks = st.integers(1, 12).flatmap(lambda side: arrays(bool, (side, side)))


@given(masks)
def test_a_mask_comes_back_from_its_text_and_from_its_runs(mask: Mask) -> None:
    decoded = decode_mask(encode_mask(mask))
    assert np.array_equal(np.zeros_like(mask) if decoded is None else decoded, mask)
    assert (decoded is None) == (not mask.any())
    assert np.array_equal(mask_of_runs(runs_of(mask), len(mask)), mask)


def test_runs_are_lengths_row_by_row() -> None:
    mask = np.zeros((4, 4), dtype=bool)
    mask[1, 2:] = mask[2, 0] = True
    assert runs_of(mask) == [6, 3, 7]
    assert runs_of(~mask) == [0, 6, 3, 7]


def test_a_link_stays_short() -> None:
    row, column = np.mgrid[:224, :224]
    box = (row > 30) & (row < 150) & (column > 60) & (column < 200)
    blobs = np.zeros((224, 224), dtype=bool)
    for top, left, radius in ((50, 60, 25), (120, 90, 40), (160, 180, 18)):
        blobs |= (row - top) ** 2 + (column - left) ** 2 < radius**2
    assert len(encode_mask(box)) < 60
    assert len(encode_mask(blobs)) < 500
    assert all(letter.isalnum() or letter in "-_." for letter in encode_mask(blobs))


def pack(side: int, content: bytes) -> str:
    return f"{side}.{base64.urlsafe_b64encode(zlib.compress(content)).decode().rstrip('=')}"


@pytest.mark.parametrize(
    "text",
    [
        "28",
        "28.",
        ".abcd",
        "28.ab cd",
        "28.AAAA",
        "-4.abcd",
        "99999.abcd",
        "4096.abcd",
        "2²." + pack(28, bytes(98))[3:],
        pack(28, bytes(97)),
        pack(28, bytes(99)),
        pack(28, bytes(50_000_000)),
        "28." + "A" * 30_000,
    ],
)
def test_foreign_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidParam, match="Paint it again"):
        decode_mask(text)


@pytest.mark.parametrize("runs", [[], [15], [17], [20, -4], [8.0, 8.0], ["16"], [True] * 16, "16", None, {"a": 1}])
def test_foreign_runs_are_refused_in_words(runs: object) -> None:
    with pytest.raises(InvalidParam, match="does not fit this model's picture of 4 × 4 pixels"):
        mask_of_runs(runs, 4)
