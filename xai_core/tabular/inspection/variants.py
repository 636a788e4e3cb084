"""Rows with some of their columns set to other values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Variants = Mapping[str, npt.NDArray[Any]]
"""Column name to (K,) values: the k-th variant sets every one of these columns to its k-th value, in all rows."""


def variant_count(variants: Variants) -> int:
    return len(next(iter(variants.values())))


def set_columns(block: pd.DataFrame, variants: Variants) -> pd.DataFrame:
    """The block once for every variant, one after another, with the variant's values in its columns: (K · rows) rows."""
    count = variant_count(variants)
    many = block.take(np.tile(np.arange(len(block)), count))
    many.index = pd.RangeIndex(len(many))
    for name, values in variants.items():
        many[name] = pd.Series(np.repeat(values, len(block)), dtype=block.dtypes[name])
    return many
