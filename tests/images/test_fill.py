"""Filling a hidden part with what surrounds it: closed forms, a slow relaxation as oracle, speed and refusals."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import pytest

from xai_core.errors import InvalidParam
from xai_core.images import fill
from xai_core.images.fill_pieces import make_piece_filler

Mask = npt.NDArray[np.bool_]
SIDE = 60


def square(side: int = SIDE, first: int = 9, last: int = 51) -> Mask:
    mask = np.zeros((side, side), dtype=bool)
    mask[first:last, first:last] = True
    return mask


def speckle(side: int = SIDE, share: float = 0.5) -> Mask:
    return np.random.default_rng(0).random((side, side)) < share


def relax(picture: npt.NDArray[np.float64], mask: Mask, sweeps: int) -> npt.NDArray[np.float64]:
    """Put the weighted mean of its neighbours into every hidden pixel, again and again: slow, and plain."""
    weights = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12
    height, width = mask.shape

    def add_up(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        padded = np.pad(values, 1)
        shifted = [weights[r, c] * padded[r : r + height, c : c + width] for r in range(3) for c in range(3)]
        return np.sum(shifted, axis=0)

    result, total = np.where(mask, picture[~mask].mean(), picture), add_up(np.ones(mask.shape))
    for _ in range(sweeps):
        result = np.where(mask, add_up(result) / total, picture)
    return result


@pytest.mark.parametrize("mask", [square(), speckle(), square(SIDE, 0, 40), speckle(SIDE, 0.999)])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_a_constant_picture_stays_constant(mask: Mask, channels: tuple[int, ...]) -> None:
    picture = np.full((SIDE, SIDE, *channels), 0.3)
    picture[mask] = 0.9
    assert mask.any()
    np.testing.assert_allclose(fill(picture, mask), 0.3, atol=1e-12)


@pytest.mark.parametrize("mask", [square(), square(SIDE, 3, 57), speckle() & square(SIDE, 1, 59)])
def test_a_ramp_is_continued(mask: Mask) -> None:
    """A plane solves the equations where nothing is hidden at the border, also between the unknowns."""
    row, column = np.mgrid[:SIDE, :SIDE]
    plane = 0.2 + 0.004 * row - 0.003 * column
    np.testing.assert_allclose(fill(np.where(mask, 9.0, plane), mask), plane, atol=1e-9)


def test_a_ramp_hidden_up_to_the_border_stays_within_what_is_visible() -> None:
    plane = np.tile(np.linspace(0, 1, SIDE), (SIDE, 1))
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[:, SIDE // 2 :] = True
    result = fill(plane, mask)
    # Nothing beyond pulls it up or down: the last visible column goes on.
    np.testing.assert_allclose(result[:, SIDE // 2 :], plane[0, SIDE // 2 - 1], atol=1e-9)


@pytest.mark.parametrize("mask", [square(SIDE, 14, 46), speckle(), square(SIDE, 30, 60)])
def test_it_is_what_many_plain_sweeps_come_to(mask: Mask) -> None:
    picture = np.random.default_rng(1).random((SIDE, SIDE))
    difference = np.abs(fill(picture, mask) - relax(picture, mask, 2000))
    # Within two levels of 255 where pixels are interpolated, exact elsewhere.
    assert difference.max() < 2 / 255
    assert difference.mean() < 0.1 / 255


def test_only_hidden_pixels_change_and_the_picture_given_is_left_alone() -> None:
    picture, mask = np.random.default_rng(2).random((SIDE, SIDE, 3)).astype(np.float32), square()
    before = picture.copy()
    result = fill(picture, mask)
    assert result.dtype == np.float32
    assert np.array_equal(picture, before)
    assert np.array_equal(result[~mask], picture[~mask])
    assert (result[mask] != picture[mask]).any(axis=-1).all()


def test_bytes_stay_bytes() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    result = fill(picture, square())
    assert result.dtype == np.uint8
    exact = fill(picture.astype(np.float64), square())
    assert np.abs(result - exact).max() <= 0.5


def test_nothing_hidden_gives_the_same_picture() -> None:
    picture = np.random.default_rng(4).random((7, 9))
    result = fill(picture, np.zeros((7, 9), dtype=bool))
    assert result is not picture
    assert np.array_equal(result, picture)


def test_everything_hidden_is_refused() -> None:
    with pytest.raises(InvalidParam, match="Everything is hidden"):
        fill(np.zeros((5, 5)), np.ones((5, 5), dtype=bool))


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidParam, match=r"must be as large as the picture: 9 × 7 pixels. Got 7 × 9"):
        fill(np.zeros((7, 9, 3)), np.zeros((9, 7), dtype=bool))


@pytest.mark.parametrize("shape", [(1, 5), (2, 2), (5, 1), (4, 9), (13, 6)])
def test_small_and_narrow_pictures(shape: tuple[int, int]) -> None:
    picture, mask = np.full(shape, 0.5), np.ones(shape, dtype=bool)
    mask[0, 0] = False
    np.testing.assert_allclose(fill(picture, mask), 0.5, atol=1e-12)


@pytest.mark.parametrize("mask", [square(224, 33, 191), speckle(224), square(224, 0, 158)])
def test_half_of_a_picture_is_filled_at_once_and_always_the_same(mask: Mask) -> None:
    picture = np.random.default_rng(5).random((224, 224, 3)).astype(np.float32)
    assert 0.49 < mask.mean() < 0.51
    seconds, results = [], []
    for _ in range(5):
        began = time.thread_time()
        results.append(fill(picture, mask))
        seconds.append(time.thread_time() - began)
    assert min(seconds) < 0.1
    assert all(np.array_equal(result, results[0]) for result in results)


def test_pieces_filled_one_area_at_a_time_are_what_one_fill_of_all_gives() -> None:
    """Bit for bit, also at the border, beside other hidden areas and where unknowns are interpolated."""
    rng = np.random.default_rng(3)
    picture = rng.random((SIDE, SIDE, 3)).astype(np.float32)
    row, column = np.mgrid[:SIDE, :SIDE]
    labels = (row + column % 7) * 5 // (SIDE + 7) * 4 + column * 4 // SIDE
    compose = make_piece_filler(picture, labels)
    for count in (0, 1, 3, 7, 15):
        part = np.zeros(labels.max() + 1, dtype=bool)
        part[rng.choice(len(part), count, replace=False)] = True
        np.testing.assert_array_equal(compose(part), fill(picture, part[labels]))
