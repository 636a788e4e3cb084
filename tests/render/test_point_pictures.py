"""Small maps: every point where it belongs, in its colour, on a clear ground."""

from __future__ import annotations

import numpy as np

from xai_core.render.point_pictures import draw_points

CORNERS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], dtype=np.float32)
COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]], dtype=np.uint8)


def test_points_stand_in_their_corner_and_up_is_up() -> None:
    drawn = np.asarray(draw_points(CORNERS, COLOURS, 100))
    assert drawn.shape == (100, 100, 4)
    ink = drawn[..., 3] == 255
    for point, colour in zip(CORNERS, COLOURS, strict=True):
        rows, columns = np.nonzero(ink & (drawn[..., :3] == colour).all(axis=2))
        assert len(rows) > 8
        assert (rows.mean() < 50) == (point[1] > 0) and (columns.mean() < 50) == (point[0] < 0)
    assert drawn[50, 50, 3] == 0, "the ground is clear"


def test_both_axes_have_one_scale_and_equal_points_do_no_harm() -> None:
    flat = np.asarray(draw_points(CORNERS * [1, 0.5], COLOURS, 100))[..., 3]
    rows = np.nonzero(flat.any(axis=1))[0]
    assert np.ptp(rows) < 60
    assert np.asarray(draw_points(np.zeros((3, 3)), COLOURS[:3], 40))[..., 3].max() == 255
