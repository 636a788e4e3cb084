"""Property of reading: the numbers of a table come back from any marks, signs and delimiters it is written in."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tests.tabular.reading.column_file import write_csv
from xai_core.tabular.reading.read import read_table

ROWS = 40
MINUS = {"plain": "-{}", "real": "\u2212{}", "brackets": "({})", "behind": "{}-"}


def write_number(value: float, decimals: int, decimal: str, thousands: str, minus: str) -> str:
    text = f"{abs(value):,.{decimals}f}".replace(",", "T").replace(".", decimal).replace("T", thousands)
    return MINUS[minus].format(text) if value < 0 else text


@pytest.mark.parametrize("minus", MINUS)
@pytest.mark.parametrize(
    ("decimal", "thousands"),
    [(d, t) for d, t in product(".,", ("", ".", ",", "'", "\u2019", " ", "\u00a0", "\u202f")) if d != t],
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_the_same_numbers_come_back(delimiter: str, decimal: str, thousands: str, minus: str) -> None:
    rng = np.random.default_rng(0)
    columns = {
        "rate": (rng.uniform(-90, 90, ROWS).round(1), 1),
        "price": (rng.uniform(0, 5000, ROWS).round(2), 2),
        "count": (rng.integers(1, 90_000, ROWS).astype(float), 0),
        "three": (rng.uniform(-3, 3, ROWS).round(3), 3),
        "change": (rng.integers(-5_000_000, 5_000_000, ROWS).astype(float), 0),
    }
    cells = {
        name: [write_number(value, decimals, decimal, thousands, minus) for value in values]
        for name, (values, decimals) in columns.items()
    }
    frame = read_table(write_csv(cells | {"word": ["a", "b", "c"]}, delimiter)).frame
    for name, (values, _) in columns.items():
        np.testing.assert_allclose(frame[name], values, rtol=0, atol=1e-9, err_msg=name)
