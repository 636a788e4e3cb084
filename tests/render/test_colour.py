"""The colour policy: palettes, scales, and what odd maps become."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from tests.render.oklab import oklab_from_srgb
from xai_core.render.colour import DEFAULT_PALETTE, PALETTES, colorize, normalise, scale_of, srgb_from_oklab

DIVERGING = ("orange_blue", "purple_green")
SEQUENTIAL = ("even", "grey")


def lightness(table: np.ndarray) -> np.ndarray:
    return oklab_from_srgb(table[:, :3] / 255)[:, 0]


def test_oklab_known_colours_and_round_trip() -> None:
    # Published values: white is (1, 0, 0); sRGB red is (0.62796, 0.22486, 0.12585).
    known = np.array([[1.0, 0.0, 0.0], [0.62796, 0.22486, 0.12585]])
    np.testing.assert_allclose(oklab_from_srgb(np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]])), known, atol=2e-4)
    colours = np.random.default_rng(0).random((50, 3))
    np.testing.assert_allclose(srgb_from_oklab(oklab_from_srgb(colours)), colours, atol=1e-9)


@pytest.mark.parametrize("name", PALETTES)
def test_tables_are_read_only_and_zero_is_transparent(name: str) -> None:
    palette = PALETTES[name]
    for table, zero in ((palette.signed, 128), (palette.unsigned, 0)):
        assert table.shape == (256, 4)
        assert table.dtype == np.uint8
        assert table[zero, 3] == 0
        assert table[255, 3] == 255
        with pytest.raises(ValueError, match="read-only"):
            table[0, 0] = 1
    assert palette.signed[0, 3] == 0, "row 0 is the place without a number"
    assert palette.signed[1, 3] == 255, "full evidence against is as opaque as full evidence for"


@pytest.mark.parametrize("name", PALETTES)
def test_opacity_grows_with_strength_alike_on_both_sides(name: str) -> None:
    alpha = PALETTES[name].signed[1:, 3].astype(int)
    assert (np.diff(alpha[127:]) >= 0).all()
    np.testing.assert_array_equal(alpha, alpha[::-1])
    assert (np.diff(PALETTES[name].unsigned[:, 3].astype(int)) >= 0).all()


@pytest.mark.parametrize("name", DIVERGING)
def test_diverging_arms_have_the_same_lightness(name: str) -> None:
    light = lightness(PALETTES[name].signed[1:])
    np.testing.assert_allclose(light, light[::-1], atol=0.012)
    assert (np.diff(lightness(PALETTES[name].unsigned)[::8]) < 0).all(), "pale to deep"


@pytest.mark.parametrize("name", DIVERGING)
def test_maps_without_a_sign_use_the_arm_for(name: str) -> None:
    palette = PALETTES[name]
    np.testing.assert_array_equal(palette.unsigned[255], palette.signed[255])


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_sequential_palettes_get_brighter_in_even_steps(name: str) -> None:
    lab = oklab_from_srgb(PALETTES[name].unsigned[:, :3] / 255)
    assert (np.diff(lab[::16, 0]) > 0).all()
    # Steps of 16 rows, so that rounding to whole bytes does not count; a chord over a corner of the path is a little
    # shorter.
    steps = np.linalg.norm(np.diff(lab[16::16], axis=0), axis=1)
    assert steps.max() / steps.min() < 1.2


def machado_deuteranope(rgb: np.ndarray) -> np.ndarray:
    """Machado, Oliveira & Fernandes 2009, severity 1, in linear light."""
    matrix = np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    )
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ matrix.T, 0, 1)
    return np.asarray(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("name", DIVERGING)
def test_for_and_against_differ_for_colour_blind_eyes(name: str) -> None:
    ends = machado_deuteranope(PALETTES[name].signed[[1, 255], :3] / 255)
    against, towards = oklab_from_srgb(ends)
    assert np.linalg.norm(against - towards) > 0.15


def test_scale_is_robust_and_never_zero_for_a_sparse_map() -> None:
    heat = np.ones((100, 100))
    heat[0, 0] = 1e6
    assert scale_of(heat) == 1.0
    sparse = np.zeros((100, 100))
    sparse[0, 0] = -3.0
    assert scale_of(sparse) == 3.0


def test_normalise_by_hand() -> None:
    heat = np.array([[-4.0, -1.0], [0.0, 2.0]], dtype=np.float32)
    values, used = normalise(heat, 2.0)
    assert used == 2.0
    np.testing.assert_array_equal(values, [[-1.0, -0.5], [0.0, 1.0]])
    np.testing.assert_array_equal(heat, [[-4.0, -1.0], [0.0, 2.0]])


@pytest.mark.parametrize("level", [0.0, 2.0, -2.0])
def test_constant_maps_become_one_even_colour(level: float) -> None:
    values, used = normalise(np.full((4, 4), level))
    assert used == abs(level)
    assert (values == np.sign(level)).all()


def test_places_without_a_number_stay_without_and_are_transparent() -> None:
    values, used = normalise(np.array([[np.nan, np.inf, -np.inf, 1.0]]))
    assert used == 1.0
    np.testing.assert_array_equal(values, [[np.nan, np.nan, np.nan, 1.0]])
    for signed in (True, False):
        np.testing.assert_array_equal(colorize(values, signed=signed)[0, :, 3], [0, 0, 0, 255])
    values, used = normalise(np.full((2, 2), np.nan))
    assert used == 0.0
    assert (colorize(values)[..., 3] == 0).all()


def test_colourise_looks_up_the_right_rows() -> None:
    palette = PALETTES[DEFAULT_PALETTE]
    got = colorize(np.array([[-1.0, 0.0, 0.5, 1.0]]))
    np.testing.assert_array_equal(got[0], palette.signed[[1, 128, 192, 255]])
    np.testing.assert_array_equal(
        colorize(np.array([[0.0, 0.2, 1.0]]), signed=False)[0], palette.unsigned[[0, 51, 255]]
    )


@given(arrays(np.float32, (5, 7), elements=st.floats(allow_nan=True, allow_infinity=True, width=32)))
def test_any_map_has_a_picture(heat: np.ndarray) -> None:
    values, used = normalise(heat)
    known = np.isfinite(heat)
    assert np.isfinite(used)
    assert (np.abs(values[known]) <= 1).all()
    assert np.isnan(values[~known]).all()
    assert (np.sign(values[known]) * np.sign(heat[known]) >= 0).all()
    assert colorize(values).shape == (5, 7, 4)
