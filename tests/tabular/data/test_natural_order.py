"""Natural order of texts, and the rising order of scales."""

from __future__ import annotations

import random

import pytest

from xai_core.formatting import natural_key
from xai_core.tabular.data.natural_order import order_rising


def test_numbers_in_texts_count() -> None:
    assert sorted(["11", "2", "1", "10"], key=natural_key) == ["1", "2", "10", "11"]
    assert sorted(["b10", "b9", "a11", "b", "²"], key=natural_key) == ["a11", "b", "b9", "b10", "²"]


@pytest.mark.parametrize(
    ("rising", "reason"),
    [
        (["low", "medium", "high"], "from low to high"),
        (["Low", "Moderate", "HIGH"], "from low to high"),
        (["S", "M", "L", "XL"], "from low to high"),
        (["never", "rarely", "sometimes", "often", "always"], "from low to high"),
        (["Jan", "Feb", "Mar", "Apr", "May", "Dec"], "from low to high"),
        (["März", "April", "Mai"], "from low to high"),
        (["Mon", "Tue", "Wed", "Sun"], "from low to high"),
        (["Montag", "Dienstag", "Freitag"], "from low to high"),
        (["niedrig", "mittel", "hoch"], "from low to high"),
        (["jamais", "parfois", "toujours"], "from low to high"),
        (["strongly disagree", "disagree", "neutral", "agree", "strongly agree"], "from low to high"),
        (["poor", "fair", "good", "excellent"], "from low to high"),
        (["C", "B-", "B", "B+", "A", "A+"], "from low to high"),
        (["high school", "bachelor's degree", "master's degree", "PhD"], "from low to high"),
        (["11th", "HS-grad", "Some-college", "Bachelors", "Masters", "Doctorate"], "from low to high"),
        (["bronze", "silver", "gold"], "from low to high"),
        (["<18", "18-25", "26-35", "65+"], "by their numbers"),
        (["< 1 year", "1 year", "2 years", "10+ years"], "by their numbers"),
        (["grade 1", "grade 2", "grade 10"], "by their numbers"),
        (["-2", "-1", "0", "1,5", "10"], "by their numbers"),
    ],
)
def test_scales_rise_however_they_come(rising: list[str], reason: str) -> None:
    for seed in range(5):
        labels = random.Random(seed).sample(rising, len(rising))
        assert order_rising(labels) == (tuple(rising), reason)


@pytest.mark.parametrize("labels", [["red", "blue", "green"], ["low", "blue"], ["small", "little", "SMALL"]])
def test_other_words_keep_the_order_of_their_first_appearance(labels: list[str]) -> None:
    assert order_rising(labels) == (tuple(labels), "as they first appear")
