"""Texts of a file's cells beside the values that stand for them, for models that were trained on the texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True, eq=False)
class CellTexts:
    """The D distinct texts of a column, as the file writes them, and the value that a table stores for each."""

    texts: pa.StringArray
    """(D,), blanks around them included; "" for an empty cell."""
    values: np.ndarray
    """(D,), float64 or object, stored as in `Table.frame`: NaN where the text counts as missing."""
