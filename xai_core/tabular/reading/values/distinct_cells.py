"""Distinct texts of a column, parsed once however many rows have them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xai_core.arrays import Bool, Int64

_PLAIN_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
# Letters of the longest cell that may be a number or a date.
MAX_VALUE_LETTERS = 60
SAMPLE_CELLS = 100


@dataclass(frozen=True, eq=False)
class DistinctCells:
    """The distinct texts of a column, (D,), and how many rows have each."""

    cells: pa.StringArray
    counts: Int64

    def share(self, selected: Bool) -> float:
        """Return the share of the rows whose cell is selected, (D,)."""
        return float(self.counts[selected].sum() / max(self.counts.sum(), 1))

    def match(self, pattern: str) -> Bool:
        """Return which cells match a regular expression, (D,)."""
        return match_pattern(self.cells, pattern)

    def follows(self, pattern: str, min_share: float) -> bool:
        """Return whether at least this share of the rows matches a regular expression."""
        # Most columns fail on a few cells; for Arrow the expression would be compiled anew for each column.
        texts, counts = self._sample
        screen = _compile_screen(pattern)
        matching = sum(count for text, count in zip(texts, counts, strict=True) if screen.search(text))
        return matching >= min_share / 2 * sum(counts) and self.share(self.match(pattern)) >= min_share

    @cached_property
    def _sample(self) -> tuple[list[str], list[int]]:
        """The most frequent cells and their rows."""
        frequent = np.arange(len(self.cells))
        if len(frequent) > SAMPLE_CELLS:
            frequent = np.argpartition(-self.counts, SAMPLE_CELLS)[:SAMPLE_CELLS]
        return self.cells.take(pa.array(frequent)).to_pylist(), self.counts[frequent].tolist()

    @cached_property
    def is_plain_number(self) -> Bool:
        """Mask of the plain numbers, (D,)."""
        return self.match(_PLAIN_NUMBER)

    @cached_property
    def value_share(self) -> float:
        """Share of the rows whose cell has a digit and is no longer than a number or a date."""
        is_short = pc.less_equal(pc.utf8_length(self.cells), MAX_VALUE_LETTERS).to_numpy(zero_copy_only=False)
        return self.share(is_short & self.match(r"\p{Nd}"))

    def to_objects(self) -> np.ndarray:
        """Return the cells as an array of str objects, (D,)."""
        return np.asarray(self.cells.to_numpy(zero_copy_only=False), dtype=object)

    def describe(self, selected: Bool) -> str:
        """Return the number of rows with selected cells and three of these cells, as the beginning of a sentence."""
        count = self.counts[selected].sum()
        return (
            f"{count:,} cells ({self.examples(selected)}) are"
            if count > 1
            else f"1 cell ({self.examples(selected)}) is"
        )

    def examples(self, selected: Bool) -> str:
        """Return up to three selected cells in quotes."""
        examples = self.cells.take(pa.array(np.flatnonzero(selected)[:3])).to_pylist()
        return ", ".join(repr(str(cell)[:30]) for cell in examples)


@cache
def _compile_screen(pattern: str) -> re.Pattern[str]:
    # Arrow's engine has another name for letters.
    return re.compile(pattern.replace(r"\pL", r"[^\W\d_]"))


def match_pattern(cells: pa.StringArray, pattern: str) -> Bool:
    """Return which cells match a regular expression, (D,)."""
    return np.asarray(pc.match_substring_regex(cells, pattern).to_numpy(zero_copy_only=False), dtype=bool)
