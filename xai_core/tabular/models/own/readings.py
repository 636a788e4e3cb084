"""The cells of a text file as pandas.read_csv makes them, in the ways in which people call it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

# Words that people give to pandas as `na_values`.
_MISSING = ("?", "-", "--", "", "na", "n/a", "none", "missing", "unknown", ".")
_BLANKS: tuple[Any, ...] = (str, str.lstrip, str.strip)
_NAMES: tuple[Mapping[str, Any], ...] = (
    {},
    {"na_values": [*_MISSING, *map(str.upper, _MISSING), *map(str.title, _MISSING)]},
    {"keep_default_na": False},
)
_NUMBERS: tuple[Mapping[str, Any], ...] = (
    {},
    {"thousands": ","},
    {"decimal": ","},
    {"decimal": ",", "thousands": "."},
    {"thousands": " "},
    {"thousands": "'"},
    {"dtype": str},
)


@dataclass(frozen=True, eq=False)
class Reading:
    """One way to call pandas.read_csv."""

    options: Mapping[str, Any] = field(default_factory=dict)
    strip: Any = str

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """Return the cells of a column of a CSV file, (D,): numbers, booleans, or objects; NaN where empty."""
        quoted = "\n".join('"' + self.strip(text).replace('"', '""') + '"' for text in texts)
        cells = pd.read_csv(io.StringIO(quoted), header=None, skip_blank_lines=False, **self.options)[0]
        is_plain = pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_bool_dtype(cells)
        values = cells.to_numpy() if is_plain else cells.astype(object).where(cells.notna(), np.nan).to_numpy()
        return np.asarray(values)


DEFAULT = Reading()


def iter_readings() -> Iterator[Reading]:
    """Yield the ways to call pandas.read_csv, those with fewest options first."""
    choices = product(enumerate(_BLANKS), enumerate(_NAMES), enumerate(_NUMBERS))
    ordered = sorted(choices, key=lambda choice: (sum(bool(rank) for rank, _ in choice), [rank for rank, _ in choice]))
    for (_, strip), (_, names), (_, numbers) in ordered:
        yield Reading({**names, **numbers}, strip)
