"""Probabilities of tables in percent, their differences in points, on figures and in the sentences below them."""

from __future__ import annotations

import numpy as np
import pytest

from xai_core.render.tables import Curve, draw_effect, draw_error_bars, draw_signed_bars, draw_waterfall
from xai_core.render.tables.style import signed_points, wrap_labels

NAMES, STEPS = ["age", "debt"], np.array([0.2, -0.004])


@pytest.mark.parametrize(
    ("value", "words"), [(0.242, "+24 points"), (-0.0042, "−0.4 points"), (0.0, "0 points"), (1e-5, "under 0.1 points")]
)
def test_a_difference_of_shares_is_said_in_points(value: float, words: str) -> None:
    assert signed_points(value) == words


def test_a_waterfall_of_probabilities_is_in_percent_and_points() -> None:
    drawing = draw_waterfall(NAMES, STEPS, 0.437, "probability of yes", shares=True)
    way, *steps = drawing.alt.split(". ")
    assert way == "From 44 %, the average, to 63 %, this row"
    assert steps == ["Pushes most up: age (+20 points)", "Pushes most down: debt (−0.4 points)."]
    assert drawing.figure.layout.xaxis.tickformat == ".0%"


@pytest.mark.parametrize(
    "draw", [draw_signed_bars, lambda names, values, **rest: draw_error_bars(names, values, values, **rest)]
)
def test_numbers_that_are_no_shares_stay_numbers(draw: object) -> None:
    assert callable(draw)
    assert draw(NAMES, STEPS).figure.layout.xaxis.tickformat is None
    assert draw(NAMES, STEPS, shares=True).figure.layout.xaxis.tickformat == ".0%"
    assert "0.2" in draw(NAMES, STEPS).alt and "20 points" in draw(NAMES, STEPS, shares=True).alt


def test_a_curve_of_probabilities_says_percent_and_a_change_points() -> None:
    average = np.array([0.3, 0.6])
    assert draw_effect(Curve(np.array([1.0, 2.0]), average, shares=True), "age", "it").alt.endswith("(60 %).")
    change = Curve(np.array([1.0, 2.0]), average - 0.3, shares=True, differences=True)
    assert draw_effect(change, "age", "it").alt.endswith("highest at 2 (+30 points).")


def test_a_long_condition_takes_a_second_line_instead_of_losing_its_end() -> None:
    assert wrap_labels(["2.80 < sepal width (cm) ≤ 3.00"]) == ["2.80 &lt; sepal width (cm)<br>≤ 3.00"]
    assert wrap_labels(["age ≤ 33", "age ≤ 33"]) == ["age ≤ 33", "age ≤ 33 (2)"]
