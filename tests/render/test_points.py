"""Colours of points: groups that stay apart for every eye, the same look for the same name, and legends that count
right.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.render.oklab import oklab_from_srgb
from xai_core.render.points import (
    CATEGORIES,
    NOTHING,
    RIGHT,
    SHAPES,
    WRONG,
    color_by_correctness,
    color_by_group,
    color_by_number,
)

# Machado, Oliveira & Fernandes 2009, severity 1, in linear light.
EYES = {
    "all cones": np.eye(3),
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
PAGES = {"light": "#ffffff", "dark": "#0f171c"}
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])


def linear(colour: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4))


def simulate_eye(colours: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """Oklab of colours (n, 3) in 0..1 as such an eye sees them."""
    light = np.clip(linear(colours) @ eye.T, 0, 1)
    return oklab_from_srgb(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("eye", EYES)
def test_ten_groups_and_none_stay_apart_for_every_eye(eye: str) -> None:
    lab = simulate_eye(np.array([rgb(colour) for colour in (*CATEGORIES, NOTHING)]) / 255, EYES[eye])
    assert len(lab) == 11
    assert min(np.linalg.norm(first - second) for first, second in itertools.combinations(lab, 2)) > 0.09
    right, wrong = simulate_eye(np.array([rgb(RIGHT), rgb(WRONG)]) / 255, EYES[eye])
    assert np.linalg.norm(right - wrong) > 0.15


@pytest.mark.parametrize("page", PAGES)
def test_every_colour_is_seen_on_a_light_and_a_dark_page(page: str) -> None:
    names = [f"class {at}" for at in range(110)]
    hashed = color_by_group(np.arange(110), names, "Label").colours
    even = color_by_number(np.linspace(0, 1, 50), "Loss").colours
    colours = np.concatenate([[rgb(colour) for colour in (*CATEGORIES, NOTHING, RIGHT, WRONG)], hashed, even]) / 255
    light, paper = linear(colours) @ LUMINANCE + 0.05, float(linear(rgb(PAGES[page]) / 255) @ LUMINANCE) + 0.05
    contrast = np.maximum(light, paper) / np.minimum(light, paper)
    assert contrast.min() > 1.4


def test_groups_by_hand() -> None:
    groups = np.array([2, 0, 2, -1, 2])
    result = color_by_group(groups, ["ant", "bee", "cow"], "Label", nothing="No idea")
    assert [(entry.name, entry.colour, entry.count, entry.shape) for entry in result.legend] == [
        ("ant", CATEGORIES[0], 1, 0),
        ("cow", CATEGORIES[1], 3, 0),
        ("No idea", NOTHING, 1, 0),
    ]
    expected = [CATEGORIES[1], CATEGORIES[0], CATEGORIES[1], NOTHING, CATEGORIES[1]]
    np.testing.assert_array_equal(result.colours, [rgb(colour) for colour in expected])
    assert not result.shapes.any()
    np.testing.assert_array_equal(groups, [2, 0, 2, -1, 2])


def test_many_groups_look_different_and_a_name_keeps_its_look() -> None:
    names = [f"class {at}" for at in range(100)]
    result = color_by_group(np.arange(100), names, "Label")
    looks = {(entry.colour, entry.shape) for entry in result.legend}
    assert len(looks) == 100
    assert {shape for _, shape in looks} <= set(range(len(SHAPES)))
    for entry in result.legend:
        at = names.index(entry.name)
        assert tuple(result.colours[at]) == tuple(rgb(entry.colour))
        assert result.shapes[at] == entry.shape
    backwards = color_by_group(np.arange(100), names[::-1], "Prediction")
    assert {(entry.name, entry.colour, entry.shape) for entry in backwards.legend} == {
        (entry.name, entry.colour, entry.shape) for entry in result.legend
    }


def test_more_groups_than_looks_still_have_one() -> None:
    result = color_by_group(np.arange(1000), [str(at) for at in range(1000)], "Label")
    assert len(result.legend) == 1000
    assert len(np.unique(np.column_stack([result.colours, result.shapes]), axis=0)) == 120


def test_the_legend_of_many_groups_has_the_largest_first() -> None:
    groups = np.repeat(np.arange(12), np.arange(12) + 1)
    result = color_by_group(groups, [f"class {at:02}" for at in range(12)], "Label")
    assert [entry.count for entry in result.legend] == list(range(12, 0, -1))
    assert result.legend[0].name == "class 11"


def test_numbers_get_brighter_and_odd_ones_are_grey() -> None:
    values = np.array([0.0, 0.25, 0.5, 0.75, 1.0, np.nan, np.inf])
    result = color_by_number(values, "Confidence", percent=True)
    light = oklab_from_srgb(result.colours / 255)[:, 0]
    assert (np.diff(light[:5]) > 0.05).all()
    np.testing.assert_array_equal(result.colours[5:], [rgb(NOTHING)] * 2)
    assert (result.low, result.high) == ("0 %", "100 %")
    assert [(entry.name, entry.count) for entry in result.legend] == [("No number", 2)]
    cut = color_by_number(np.array([-5.0, 0.0, 1.0, 9.0]), "Loss", low=0, high=1)
    np.testing.assert_array_equal(cut.colours[0], cut.colours[1])
    np.testing.assert_array_equal(cut.colours[2], cut.colours[3])
    np.testing.assert_array_equal(cut.colours[[1, 2]], result.colours[[0, 4]])


@pytest.mark.parametrize("values", [[], [np.nan], [3.0, 3.0]], ids=str)
def test_flat_and_empty_numbers_have_colours(values: list[float]) -> None:
    result = color_by_number(np.array(values), "Loss")
    assert result.colours.shape == (len(values), 3)


def test_right_and_wrong_differ_in_shape_too() -> None:
    result = color_by_correctness(np.array([3, 3, 3]), np.array([3, 4, -1]))
    assert [(entry.name, entry.count) for entry in result.legend] == [
        ("Right", 1),
        ("Wrong", 1),
        ("No label to check", 1),
    ]
    assert result.shapes[0] != result.shapes[1]
    np.testing.assert_array_equal(result.colours, [rgb(RIGHT), rgb(WRONG), rgb(NOTHING)])
