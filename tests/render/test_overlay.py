"""Overlays by hand on tiny arrays."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from xai_core.render import PALETTES, overlay, scales
from xai_core.render.overlay import display_size, enlarge
from xai_core.results import Attribution


def attribution(values: np.ndarray, unit: str = "logit", method: str = "occlusion") -> Attribution:
    return Attribution(
        values=values.astype(np.float32),
        method=method,
        model="toy",
        layer=None,
        target=0,
        label="espresso",
        quantity="logit",
        unit=unit,
        params={},
        seed=0,
        evaluations=1,
        seconds=0.1,
        image_sha256="",
        versions={},
    )


def test_display_size_is_a_whole_multiple() -> None:
    assert display_size(224, 224) == display_size(28, 28) == (448, 448)
    assert display_size(240, 120) == (240, 480)
    assert display_size(900, 900) == (900, 900)


@pytest.mark.parametrize("opacity", [0.0, 0.25, 1.0])
def test_overlay_by_hand(opacity: float) -> None:
    photo = Image.new("RGB", (2, 2), (200, 100, 50))
    heat = np.array([[1.0, -1.0], [0.0, 0.5]])
    drawn = np.asarray(overlay(photo, heat, "orange_blue", opacity, 1.0)).astype(float)
    assert drawn.shape == (448, 448, 3)
    grey = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
    fade = math.sqrt(opacity)
    base = np.array([200, 100, 50]) * (1 - fade) + grey * fade
    table = PALETTES["orange_blue"].signed.astype(float)
    for row, column, at in ((0, 0, 255), (0, 1, 1), (1, 0, 128), (1, 1, 192)):
        cover = table[at, 3] / 255 * opacity
        expected = base * (1 - cover) + table[at, :3] * cover
        np.testing.assert_allclose(drawn[100 + 224 * row, 100 + 224 * column], expected, atol=1.5)


def test_no_evidence_leaves_the_greyed_photo_and_opacity_zero_the_photo() -> None:
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (448, 448, 3), dtype=np.uint8))
    np.testing.assert_array_equal(overlay(photo, np.ones((448, 448)), opacity=0.0), photo)
    blank = np.asarray(overlay(photo, np.zeros((448, 448)), opacity=1.0))
    np.testing.assert_array_equal(blank, np.asarray(photo.convert("L").convert("RGB")))


@pytest.mark.parametrize("odd", [np.nan, np.inf, 0.0, -2.0])
def test_odd_maps_have_a_picture(odd: float) -> None:
    drawn = overlay(Image.new("L", (64, 64), 128), np.full((64, 64), odd), opacity=1.0)
    colour = np.asarray(drawn)[0, 0]
    expected = PALETTES["orange_blue"].signed[1, :3] if odd == -2.0 else [128, 128, 128]
    np.testing.assert_array_equal(colour, expected)


def test_enlarge_squares_below_64_and_bilinear_above() -> None:
    small = np.arange(16.0).reshape(4, 4)
    np.testing.assert_array_equal(enlarge(small, (8, 8)), np.kron(small, np.ones((2, 2))))
    ramp = np.tile(np.arange(100.0), (100, 1))
    # Cell centres sit at 0.5, 1.5, ...; on the doubled grid at 0.25, 0.75, ... of the old cells.
    expected = np.clip((np.arange(200) + 0.5) / 2 - 0.5, 0, 99)
    np.testing.assert_allclose(enlarge(ramp, (200, 200))[50], expected, atol=1e-5)


def test_a_hole_does_not_spread_when_enlarged() -> None:
    heat = np.ones((100, 100))
    heat[3, 5] = np.nan
    grown = enlarge(heat, (200, 200))
    assert np.isnan(grown).sum() == 4
    assert np.isnan(grown[6:8, 10:12]).all()


def test_shared_scale_only_among_equal_units() -> None:
    maps = [
        attribution(np.full((4, 4), level), unit)
        for level, unit in ((2.0, "logit"), (-8.0, "logit"), (100.0, "probability"))
    ]
    assert scales(maps, shared=False) == [2.0, 8.0, 100.0]
    assert scales(maps, shared=True) == [8.0, 8.0, 100.0]
    assert scales([], shared=True) == []


def test_the_map_itself_is_never_changed() -> None:
    heat = np.linspace(-3, 3, 64).reshape(8, 8)
    before = heat.copy()
    overlay(Image.new("RGB", (8, 8)), heat)
    np.testing.assert_array_equal(heat, before)
