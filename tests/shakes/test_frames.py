"""Movements of a picture and maps brought back: against NumPy's own turns, flips and shifts."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from xai_core.shakes.base.frames import Affine, Cells
from xai_core.shakes.base.spec import SHAKES
from xai_core.shakes.run.maps import correlate_maps

SIDE = 12
# Every pixel is another number, so that any wrong place is seen.
MARKED = np.arange(SIDE * SIDE, dtype=np.uint8).reshape(SIDE, SIDE)
EXACT = [
    ("rotation", 90.0, lambda a: np.rot90(a)),
    ("rotation", -90.0, lambda a: np.rot90(a, -1)),
    ("rotation", 180.0, lambda a: np.rot90(a, 2)),
    ("flip", 1.0, np.fliplr),
    ("flip", 2.0, np.flipud),
    ("flip", 3.0, lambda a: a[::-1, ::-1]),
]


@pytest.mark.parametrize(("name", "value", "oracle"), EXACT, ids=lambda v: str(v)[:12])
def test_turns_and_flips_are_exact_both_ways(name, value, oracle):
    shake = SHAKES.get(name)
    moved = np.asarray(shake.apply(Image.fromarray(MARKED), value, 0))
    np.testing.assert_array_equal(moved, oracle(MARKED))
    frame = shake.find_frame(SIDE, value, 0)
    restored, common = frame.restore(moved.astype(np.float32))
    assert frame.is_exact and common.all()
    np.testing.assert_array_equal(restored, MARKED)


@pytest.mark.parametrize(("name", "axis"), [("shift_down", 0), ("shift_across", 1)])
@pytest.mark.parametrize("share", [25.0, -25.0])
def test_a_shift_by_whole_pixels_is_exact_where_both_show_the_picture(name, axis, share):
    shake, step = SHAKES.get(name), round(SIDE * share / 100)
    moved = np.asarray(shake.apply(Image.fromarray(MARKED), share, 0))
    gone = slice(SIDE - step, None) if step > 0 else slice(None, -step)
    filled = slice(None, step) if step > 0 else slice(SIDE + step, None)
    expected = np.roll(MARKED, step, axis)
    is_gap = np.zeros((SIDE, SIDE), dtype=bool)
    is_gap[(filled, slice(None)) if axis == 0 else (slice(None), filled)] = True
    np.testing.assert_array_equal(moved[~is_gap], expected[~is_gap])
    assert set(moved[is_gap]) <= set(MARKED.ravel()), "the gap shows the mirror image"
    restored, common = shake.find_frame(SIDE, share, 0).restore(moved.astype(np.float32))
    lost = np.zeros((SIDE, SIDE), dtype=bool)
    lost[(gone, slice(None)) if axis == 0 else (slice(None), gone)] = True
    np.testing.assert_array_equal(common, ~lost)
    np.testing.assert_array_equal(restored[common], MARKED[common])
    assert (restored[~common] == 0).all()


@pytest.mark.parametrize("cells", [2, 4, 8])
@pytest.mark.parametrize("side", [16, 28])
def test_a_patch_shuffle_is_a_permutation_that_comes_back(cells, side):
    marked = np.arange(side * side, dtype=np.int32).reshape(side, side)
    frame = SHAKES.get("patch_shuffle").find_frame(side, float(cells), 3)
    moved = np.asarray(frame.move(Image.fromarray(marked)))
    assert sorted(moved.ravel()) == list(range(side * side)) and (moved != marked).any()
    cell = side // cells
    squares = moved[: cells * cell, : cells * cell].reshape(cells, cell, cells, cell).swapaxes(1, 2)
    for square in squares.reshape(-1, cell, cell):
        # Every square is one of the picture, in one piece.
        row, column = divmod(int(square[0, 0]), side)
        assert row % cell == column % cell == 0
        np.testing.assert_array_equal(square, marked[row : row + cell, column : column + cell])
    restored, common = frame.restore(moved.astype(np.float32))
    assert common.all()
    np.testing.assert_array_equal(restored, marked)


def test_other_turns_come_back_inside_the_common_area_only():
    """A smooth map turned by 30 degrees and back is itself where the picture was shown, and unknown in the corners."""
    side = 64
    rows, columns = np.indices((side, side))
    smooth = (np.sin(rows / 9) + np.cos(columns / 7)).astype(np.float32)
    frame = SHAKES.get("rotation").find_frame(side, 30.0, 0)
    moved = np.asarray(frame.move(Image.fromarray(smooth)), dtype=np.float32)
    restored, common = frame.restore(moved)
    assert not frame.is_exact
    middle = (slice(side // 2 - 8, side // 2 + 8),) * 2
    # A corner of a square is turned out of it, the middle of an edge is not the corner.
    assert not common[0, 0] and not common[-1, -1] and common[middle].all() and 0.75 < common.mean() < 0.95
    inner = common & (np.hypot(rows - 31.5, columns - 31.5) < 29)
    np.testing.assert_allclose(restored[inner], smooth[inner], atol=0.02)
    assert correlate_maps(smooth, restored, common) > 0.99
    assert correlate_maps(smooth, moved, np.ones_like(common)) < 0.6, "without the way back it is another map"


def test_a_resized_picture_shows_what_its_frame_says():
    side = 60
    rows, _ = np.indices((side, side))
    picture = Image.fromarray(np.clip(4 * rows, 0, 255).astype(np.uint8))
    for percent in (50.0, 200.0):
        shake = SHAKES.get("size")
        frame = shake.find_frame(side, percent, 0)
        by_frame = np.asarray(frame.move(picture), dtype=float)
        resized = np.asarray(shake.apply(picture, percent, 0), dtype=float)
        inside = slice(18, 42)
        assert np.abs(by_frame - resized)[inside, inside].max() <= 2
        common = frame.restore(np.ones((side, side), np.float32))[1]
        assert common.mean() == pytest.approx(1 if percent < 100 else 0.25, abs=0.02)


def test_too_little_common_area_or_a_flat_map_has_no_rank():
    heat = np.random.default_rng(0).random((32, 32)).astype(np.float32)
    nowhere = np.zeros((32, 32), dtype=bool)
    nowhere[:4, :4] = True
    assert np.isnan(correlate_maps(heat, heat, nowhere))
    everywhere = np.ones((32, 32), dtype=bool)
    assert np.isnan(correlate_maps(heat, np.zeros_like(heat), everywhere))
    assert correlate_maps(heat, heat, everywhere) == pytest.approx(1)
    assert correlate_maps(heat, -heat, everywhere) == pytest.approx(-1)


def test_frames_of_an_odd_side_are_exact_too():
    for frame in (Affine.about_middle(7, [[0, 1], [-1, 0]]), Cells(7, 2, np.array([3, 2, 1, 0]))):
        assert frame.is_exact
        marked = np.arange(49, dtype=np.int32).reshape(7, 7)
        moved = np.asarray(frame.move(Image.fromarray(marked)))
        np.testing.assert_array_equal(frame.restore(moved.astype(np.float32))[0], marked)
